// SPDX-License-Identifier: BSD-3-Clause
// Pointer, wheel and keys.

const CLICK = 4; /* pixels a pointer may move in a click */

/** @delta of a wheel in pixels, whatever its unit is. */
function wheelPixels(event, delta) {
	return delta * [1, 16, 400][event.deltaMode];
}

export class Input {
	constructor(app, surface) {
		this.app = app;
		this.surface = surface;
		surface.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
		surface.addEventListener("pointerdown", (event) => this.down(event));
		surface.addEventListener("pointermove", (event) => this.move(event));
		surface.addEventListener("pointerup", (event) => this.up(event));
		surface.addEventListener("pointercancel", () => this.release());
		surface.addEventListener("pointerleave", () => app.pointAt(null));
		surface.addEventListener("dblclick", (event) => this.closer(event));
		window.addEventListener("keydown", (event) => this.key(event));
	}

	wheel(event) {
		event.preventDefault();
		const { view, chart } = this.app;
		const across = wheelPixels(event, event.deltaX);
		const along = wheelPixels(event, event.deltaY);
		if (event.altKey)
			chart.scroll(along);
		else if (event.shiftKey || Math.abs(across) > Math.abs(along))
			view.pan(across || along);
		else
			view.zoom(1.0022 ** along, event.offsetX);
		this.app.redraw();
	}

	down(event) {
		if (event.button > 1)
			return;
		this.surface.setPointerCapture(event.pointerId);
		this.start = { x: event.offsetX, y: event.offsetY };
		this.last = this.start;
		this.choosing = event.shiftKey;
		this.dragging = false;
	}

	move(event) {
		const here = { x: event.offsetX, y: event.offsetY };
		if (!this.start)
			return this.app.pointAt(here);
		if (!this.dragging && Math.hypot(here.x - this.start.x, here.y - this.start.y) > CLICK)
			this.beginDrag();
		if (this.dragging)
			this.drag(here);
		return undefined;
	}

	beginDrag() {
		this.dragging = true;
		this.app.pointAt(null);
		if (!this.choosing)
			this.app.view.remember();
	}

	drag(here) {
		const { view, chart } = this.app;
		if (this.choosing) {
			this.app.choose([this.start.x, here.x]);
		} else {
			chart.scroll(this.last.y - here.y);
			view.pan(this.last.x - here.x);
		}
		this.last = here;
	}

	up(event) {
		if (this.dragging && this.choosing)
			this.app.view.zoomTo(this.start.x, event.offsetX);
		else if (this.start && !this.dragging)
			this.app.pin({ x: event.offsetX, y: event.offsetY });
		this.release();
	}

	release() {
		this.start = null;
		this.dragging = false;
		this.app.choose(null);
	}

	closer(event) {
		const { view } = this.app;
		view.remember();
		view.zoom(0.2, event.offsetX);
	}

	key(event) {
		if (event.ctrlKey || event.metaKey || event.altKey)
			return;
		const action = this.actions()[event.key];
		if (!action)
			return;
		event.preventDefault();
		action(event.shiftKey ? 4 : 1);
	}

	actions() {
		const { app } = this;
		const { view } = app;
		const zoom = (factor) => () => view.zoom(factor, app.zoomCentre());
		const pan = (share) => (times) => view.pan(share * times * view.width);
		return {
			"ArrowLeft": pan(-0.15), "ArrowRight": pan(0.15), "a": pan(-0.15), "d": pan(0.15),
			"ArrowUp": zoom(0.7), "ArrowDown": zoom(1 / 0.7), "w": zoom(0.7), "s": zoom(1 / 0.7),
			"+": zoom(0.5), "=": zoom(0.5), "-": zoom(2),
			"PageUp": () => app.scrollLanes(-1), "PageDown": () => app.scrollLanes(1),
			"Home": () => app.select(0), "End": () => app.select(app.trace.count - 1),
			"f": () => view.fit(), "0": () => view.fit(),
			"b": () => view.back(), "Backspace": () => view.back(),
			"j": () => app.step(1), "k": () => app.step(-1),
			"n": () => app.search.next(1), "N": () => app.search.next(-1),
			"x": () => app.showDivergence(), "o": () => app.changeAxis(),
			"t": () => app.changeTheme(), "/": () => app.search.field.focus(),
			"?": () => app.toggleHelp(), "Escape": () => app.leave(),
		};
	}
}
