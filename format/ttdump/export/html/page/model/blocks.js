// SPDX-License-Identifier: BSD-3-Clause
// The data elements of the page, unpacked: what format/ttdump/export/html/html_block.h describes.

/** The bytes of a data element: base64, deflated. */
export async function unpack(element) {
	const binary = atob(element.textContent);
	const bytes = new Uint8Array(binary.length);
	for (let i = 0; i < bytes.length; i++)
		bytes[i] = binary.charCodeAt(i);
	element.remove();
	const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
	return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Reads the varints of a column, one after the other. */
class Numbers {
	constructor(bytes) {
		this.bytes = bytes;
		this.at = 0;
	}

	next() {
		const bytes = this.bytes;
		let byte = bytes[this.at++];
		if (byte < 128)
			return byte;
		let value = byte & 127;
		let weight = 128;
		do {
			byte = bytes[this.at++];
			value += (byte & 127) * weight;
			weight *= 128;
		} while (byte > 127);
		return value;
	}

	difference() {
		const value = this.next();
		return value % 2 ? -(value + 1) / 2 : value / 2;
	}
}

const names = ["sizes", "kind", "guest", "moment", "detail", "length", "text", "console", "frame",
	"network"];
const raw = new Set(["kind", "text", "console", "network"]);

/** The columns of one block by name: Numbers, or bytes where they are no numbers. */
export function columns(bytes) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const found = {};
	let at = 0;
	for (const name of names) {
		const size = view.getUint32(at, true);
		const column = bytes.subarray(at + 4, at + 4 + size);
		found[name] = raw.has(name) ? column : new Numbers(column);
		at += 4 + size;
	}
	found.records = found.sizes.next();
	found.frames = found.sizes.next();
	found.first = found.sizes.next();
	return found;
}
