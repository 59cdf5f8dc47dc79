// SPDX-License-Identifier: BSD-3-Clause
// Draws density: rows of pixels, coloured by column, that are stretched over bands. All rows of a
// picture go to the browser at once.

const ROWS = 128;

export class Strip {
	constructor() {
		this.canvas = document.createElement("canvas");
		this.context = this.canvas.getContext("2d");
		this.canvas.height = ROWS;
		this.bands = [];
	}

	resize(width) {
		if (this.image?.width === width)
			return;
		this.canvas.width = width;
		this.image = this.context.createImageData(width, ROWS);
		this.pixels = new Uint32Array(this.image.data.buffer);
		this.counts = new Uint32Array(width);
		this.cover = new Float32Array(width);
	}

	/** A band at @top, @height high; @alpha(x): 0 to 1. What there is no row for is left out. */
	paint([r, g, b], top, height, alpha) {
		const { width } = this.image;
		const row = this.bands.length;
		const colour = b << 16 | g << 8 | r;
		if (row === ROWS)
			return;
		for (let x = 0; x < width; x++)
			this.pixels[row * width + x] = (alpha(x) * 255 << 24 | colour) >>> 0;
		this.bands.push({ top, height });
	}

	/** Puts all bands where they belong, in the order in which they were painted. */
	flush(context) {
		const { width } = this.image;
		if (!this.bands.length)
			return;
		this.context.putImageData(this.image, 0, 0, 0, 0, width, this.bands.length);
		context.imageSmoothingEnabled = false;
		this.bands.forEach(({ top, height }, row) =>
			context.drawImage(this.canvas, 0, row, width, 1, 0, top, width, height));
		this.bands = [];
	}
}

/** More in a column shows stronger, and one alone can be seen. */
export function strength(count) {
	return count ? Math.min(1, 0.4 + 0.06 * Math.log2(count)) : 0;
}
