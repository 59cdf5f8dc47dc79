// SPDX-License-Identifier: BSD-3-Clause
// Elements. What a trace says only ever becomes the text of one.

/** A new element of class @name with @text in it, and @children. */
export function element(tag, name, text = "", ...children) {
	const made = document.createElement(tag);
	if (name)
		made.className = name;
	if (text)
		made.textContent = text;
	made.append(...children);
	return made;
}

export function byId(id) {
	return document.getElementById(id);
}
