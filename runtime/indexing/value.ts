import { MAX_INDEXED_LENGTH } from "../base/limits.ts";

/** Added to an encoded value: the lowest text above it. Nothing encoded holds a lower sign. */
const NEXT = "\u0001";

/** First signs of the kinds, in their order; `END` comes behind all of them. */
const KIND = { null: "0", boolean: "1", number: "2", string: "3" } as const;
const END: Readonly<Record<keyof typeof KIND, string>> = { null: "1", boolean: "2", number: "3", string: "4" };

/**
 * An indexed value as text whose bytes have the order of the values: null, then booleans, numbers, strings. So that one
 * column, compared by bytes, answers every condition, and all stores agree. `undefined` for what is not indexed.
 *
 * Text without NUL. Long strings are cut ({@link MAX_INDEXED_LENGTH}): what is equal or in order stays so, but unequal
 * strings may become equal. Whoever reads by the index checks the state.
 *
 * @example `encodeIndexValue("tea")` is `"3tea"`; a number is its sortable bits in hex.
 */
export function encodeIndexValue(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return KIND.string + cut(escape(value));
    case "number":
      return Number.isFinite(value) ? KIND.number + sortableHex(value) : KIND.null; // JSON's null, too
    case "boolean":
      return KIND.boolean + (value ? "t" : "f");
    default:
      return value === null ? KIND.null : undefined;
  }
}

/** Bounds of a range, all of one kind. */
export interface Bounds {
  readonly gt?: string | number;
  readonly gte?: string | number;
  readonly lt?: string | number;
  readonly lte?: string | number;
}

/**
 * A half-open range of encoded values that holds everything the bounds allow; with cut strings, or both bounds of a side
 * given, also what they do not.
 */
export function encodeRange({ gt, gte, lt, lte }: Bounds): { readonly from: string; readonly before: string } {
  const kind = typeof (gt ?? gte ?? lt ?? lte) === "number" ? "number" : "string";
  return { from: lower(gt, gte) ?? KIND[kind], before: upper(lt, lte) ?? END[kind] };
}

function lower(gt: string | number | undefined, gte: string | number | undefined): string | undefined {
  if (gt !== undefined) return mayBeCut(gt) ? encode(gt) : encode(gt) + NEXT;
  return gte === undefined ? undefined : encode(gte);
}

function upper(lt: string | number | undefined, lte: string | number | undefined): string | undefined {
  if (lt !== undefined) return mayBeCut(lt) ? encode(lt) + NEXT : encode(lt);
  return lte === undefined ? undefined : encode(lte) + NEXT;
}

function encode(value: string | number): string {
  return encodeIndexValue(value) as string;
}

function mayBeCut(value: string | number): boolean {
  // One less: a pair of surrogates is never cut in two.
  return typeof value === "string" && escape(value).length >= MAX_INDEXED_LENGTH - 1;
}

function cut(text: string): string {
  if (text.length <= MAX_INDEXED_LENGTH) return text;
  const last = text.charCodeAt(MAX_INDEXED_LENGTH - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splitsPair ? MAX_INDEXED_LENGTH - 1 : MAX_INDEXED_LENGTH);
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const LOWEST = /[\u0000\u0001]/g;

/** NUL, which Postgres cannot store, and U+0001 become two signs each, so that no order changes. */
function escape(text: string): string {
  return text.toWellFormed().replaceAll(LOWEST, (sign) => (sign === "\u0000" ? "\u0001\u0001" : "\u0001\u0002"));
}

const bits = new DataView(new ArrayBuffer(8));

/** The bits of a double, positive ones with the sign bit set, negative ones inverted: then their order is the numbers'. */
function sortableHex(value: number): string {
  bits.setFloat64(0, value + 0); // minus zero equals zero
  let high = bits.getUint32(0);
  let low = bits.getUint32(4);
  if (high >= 0x8000_0000) {
    high = ~high >>> 0;
    low = ~low >>> 0;
  } else {
    high = (high | 0x8000_0000) >>> 0;
  }
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}
