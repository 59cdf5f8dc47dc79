// SPDX-License-Identifier: BSD-3-Clause
// Timers, an HTTP server, workers, compression, cryptography and the garbage collector.
const crypto = require('crypto');
const http = require('http');
const zlib = require('zlib');
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');

if (!isMainThread) {
	let sum = 0;
	for (let i = 0; i < 200000; i++)
		sum = (sum * 31 + i * workerData) % 1000003;
	parentPort.postMessage(`${workerData}:${sum}`);
} else {
	main();
}

function sleep(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

function get(port, path) {
	return new Promise((resolve, reject) => {
		http.get({ host: '127.0.0.1', port, path }, (response) => {
			let text = '';
			response.on('data', (part) => (text += part)).on('end', () => resolve(text));
		}).on('error', reject);
	});
}

async function requests() {
	const server = http.createServer(async (request, response) => {
		await sleep(Math.random() * 20);
		response.end(request.url);
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	const order = [];
	await Promise.all([...Array(20).keys()].map(async (i) => {
		order.push(await get(server.address().port, `/${i}`));
	}));
	console.log('http', order.join(' '));
	server.close();
}

async function workers() {
	const answers = [];
	await Promise.all([1, 2, 3, 4].map((i) => new Promise((resolve, reject) => {
		new Worker(__filename, { workerData: i })
			.on('message', (answer) => answers.push(answer)).on('error', reject).on('exit', resolve);
	})));
	console.log('workers', answers.join(' '));
}

function compute() {
	const bytes = crypto.randomBytes(200000);
	const packed = zlib.gzipSync(bytes.toString('hex'));
	console.log('gzip', packed.length, crypto.createHash('sha256').update(packed).digest('hex'));
	const { publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
	console.log('key', publicKey.export({ type: 'spki', format: 'der' }).toString('hex').slice(-16));
	let kept = [];
	for (let i = 0; i < 200000; i++) {
		kept.push({ i, text: `text ${i}` });
		if (kept.length > 5000)
			kept = [];
	}
	console.log('memory', process.memoryUsage().heapUsed, Math.random(), process.hrtime.bigint().toString());
}

async function main() {
	await requests();
	await workers();
	compute();
}
