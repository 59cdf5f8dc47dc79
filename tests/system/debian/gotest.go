// SPDX-License-Identifier: BSD-3-Clause
// What a Go program decides by chance and by the clock: map order, select, the scheduler.
package main

import (
	"fmt"
	"math/rand"
	"runtime"
	"sync"
	"time"
)

func main() {
	fmt.Println("cpus", runtime.NumCPU(), runtime.GOMAXPROCS(0), runtime.Version())
	m := map[int]int{}
	for i := 0; i < 20; i++ {
		m[i] = i * i
	}
	s := ""
	for k := range m {
		s += fmt.Sprint(k, " ")
	}
	fmt.Println("map order", s)
	c1, c2 := make(chan int), make(chan int)
	var wg sync.WaitGroup
	for _, c := range []chan int{c1, c2} {
		wg.Add(1)
		go func(c chan int) {
			defer wg.Done()
			for i := 0; i < 50; i++ {
				c <- i
				time.Sleep(time.Duration(rand.Intn(100)) * time.Microsecond)
			}
		}(c)
	}
	go func() { wg.Wait(); close(c1) }()
	n1, n2, h := 0, 0, 0
	tick := time.NewTicker(time.Millisecond)
	ticks := 0
loop:
	for {
		select {
		case _, ok := <-c1:
			if !ok {
				break loop
			}
			n1++
			h = h*31 + 1
		case <-c2:
			n2++
			h = h*31 + 2
		case <-tick.C:
			ticks++
		}
	}
	var mu sync.Mutex
	x := 0
	var g sync.WaitGroup
	for i := 0; i < 100; i++ {
		g.Add(1)
		go func() {
			defer g.Done()
			for j := 0; j < 100; j++ {
				mu.Lock()
				x++
				mu.Unlock()
				runtime.Gosched()
			}
		}()
	}
	g.Wait()
	b := make([][]byte, 0)
	for i := 0; i < 2000; i++ {
		b = append(b, make([]byte, 10000))
		if i%100 == 0 {
			b = b[:0]
		}
	}
	runtime.GC()
	fmt.Println("select", n1, n2, h, "ticks", ticks, "x", x, "now", time.Now().UnixNano())
}
