// SPDX-License-Identifier: BSD-3-Clause
// Times as people read and write them. All are nanoseconds.

const units = [["h", 3600e9], ["min", 60e9], ["s", 1e9], ["ms", 1e6], ["µs", 1e3], ["ns", 1]];
const NARROW = "\u202f";

/** "0.412000256", as every other command prints virtual time. */
export function exact(ns) {
	const negative = ns < 0 ? "-" : "";
	const whole = BigInt(Math.round(Math.abs(ns)));
	const fraction = String(whole % 1000000000n).padStart(9, "0");
	return `${negative}${whole / 1000000000n}.${fraction}`;
}

/** "0.412 000 256 s" */
export function grouped(ns) {
	const [seconds, fraction] = exact(ns).split(".");
	return `${seconds}.${fraction.match(/.../g).join(NARROW)} s`;
}

/** "1:23:20", "2:05": hours, minutes and seconds of a whole number of seconds. */
export function clock(ns) {
	const seconds = Math.round(ns / 1e9);
	const two = (value) => String(value).padStart(2, "0");
	const minutes = Math.floor(seconds / 60);
	return minutes < 60 ? `${minutes}:${two(seconds % 60)}`
		: `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** "1.5 ms": three significant digits or so, in the unit that reads best. */
export function short(ns) {
	const size = Math.abs(ns);
	if (!size)
		return "0";
	const [name, factor] = units.find(([, unit]) => size >= unit) ?? units.at(-1);
	const value = ns / factor;
	const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
	return `${Number(value.toFixed(digits))} ${name}`;
}

/** "+256ns": exact. */
export function difference(ns) {
	const size = Math.abs(ns);
	if (!size)
		return "+0";
	const [name, factor] = units.slice(2).find(([, unit]) => size >= unit) ?? units.at(-1);
	return `${ns < 0 ? "-" : "+"}${Number((size / factor).toPrecision(15))}${name}`;
}

/** Nanoseconds of "1.5ms", "2s", "0.412000256"; NaN when it is not one. */
export function parseTime(text) {
	const match = /^([0-9]+(?:\.[0-9]+)?)\s*(h|min|m|s|ms|us|µs|ns)?$/.exec(text.trim());
	if (!match || (!match[2] && !match[1].includes(".")))
		return NaN;
	const name = { m: "min", us: "µs" }[match[2]] ?? match[2] ?? "s";
	return Number(match[1]) * units.find(([unit]) => unit === name)[1];
}

/** An offset on a ruler whose steps are @step and whose largest offset is @most: "1.4 s". */
export function offsetText(ns, step, most) {
	const [name, factor] = units.slice(2).find(([, unit]) => most >= unit) ?? units.at(-1);
	const digits = Math.max(0, Math.ceil(-Math.log10(step / factor) - 1e-9));
	return ns ? `${(ns / factor).toFixed(digits)} ${name}` : "0";
}
