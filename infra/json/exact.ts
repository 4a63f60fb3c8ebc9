/**
 * JSON whose numbers mean what their text says.
 *
 * `JSON.parse` rounds: `9007199254740993` becomes `9007199254740992`, and `1e400` becomes `Infinity`. Here a number whose
 * double would be written otherwise stays as its text, as an object of `JSON.rawJSON`: `JSON.stringify` writes it as it
 * came, and the functions of this file compare it exactly. All other values are those of `JSON.parse`.
 */

/** A number that no double writes as it came. `rawJSON` is its text. */
export interface ExactNumber {
  readonly rawJSON: string;
}

/** A number of a value that {@link parseExact} read. */
export type JsonNumber = number | ExactNumber;

interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): ExactNumber;
  isRawJSON(value: unknown): value is ExactNumber;
}
const {
  parse,
  rawJSON,
  // A host without it (Node before 22) has no such values either.
  isRawJSON = (_: unknown): _ is ExactNumber => false,
} = JSON as unknown as Omit<ExactJson, "isRawJSON"> & Partial<ExactJson>;

/**
 * A number that may not survive as a double: 16 digits and more, an exponent, zeros at the end of a fraction, `-0`. It may
 * also match inside a text, which costs time and nothing else.
 */
const PERHAPS_INEXACT = /(?:^|[:[,\s])-?(?:[\d.]{16,}|[\d.]+[eE]|\d+\.\d*0(?!\d))|(?:^|[:[,\s])-0/;

/**
 * Parses JSON without loss.
 * @throws {SyntaxError} it is not JSON.
 */
export function parseExact(text: string): unknown {
  if (!PERHAPS_INEXACT.test(text)) return JSON.parse(text);
  return parse(text, (_, value, { source }) =>
    typeof value === "number" && source !== undefined && source !== String(value) ? rawJSON(source) : value,
  );
}

/** Whether a value is a number that is kept as its text. */
export function isExactNumber(value: unknown): value is ExactNumber {
  return typeof value === "object" && value !== null && isRawJSON(value);
}

/** Whether some number of a value is kept as its text: `JSON.parse` of its JSON would change it. */
export function holdsExactNumbers(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(holdsExactNumbers);
  if (isRawJSON(value)) return true;
  const members = value as Readonly<Record<string, unknown>>;
  for (const name in members) if (holdsExactNumbers(members[name])) return true;
  return false;
}

export function isNumber(value: unknown): value is JsonNumber {
  return typeof value === "number" || isExactNumber(value);
}

/** A number as `0.<digits> × 10^exponent`, the digits without zeros at either end. Zero has no digits. */
interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

function decimalOf(number: JsonNumber): Decimal {
  const text = typeof number === "number" ? String(number) : number.rawJSON;
  const [, sign, whole = "", fraction = "", power = "0"] = NUMBER.exec(text) ?? [];
  const all = whole + fraction;
  const digits = all.replace(/^0+/, "");
  const trimmed = withoutZerosAtEnd(digits);
  if (trimmed === "") return { negative: false, digits: "", exponent: 0 };
  const exponent = whole.length - (all.length - digits.length) + Number(power);
  return { negative: sign === "-", digits: trimmed, exponent };
}

/** By hand: a pattern for it takes time that grows with the square of the text. */
function withoutZerosAtEnd(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end--;
  return digits.slice(0, end);
}

/** Below 0 where `a` is less than `b`, above 0 where it is more, else 0: by what their texts say. */
export function compareNumbers(a: JsonNumber, b: JsonNumber): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [x, y] = [decimalOf(a), decimalOf(b)];
  if (x.negative !== y.negative) return x.negative ? -1 : 1;
  return x.negative ? compareSizes(y, x) : compareSizes(x, y);
}

function compareSizes(x: Decimal, y: Decimal): number {
  if (x.digits === "" || y.digits === "") return x.digits.length - y.digits.length;
  if (x.exponent !== y.exponent) return x.exponent - y.exponent;
  return x.digits < y.digits ? -1 : x.digits > y.digits ? 1 : 0;
}

/** Whether a number is whole: `1.0` and `1e400` are. */
export function isWhole(number: JsonNumber): boolean {
  if (typeof number === "number") return Number.isInteger(number);
  const { digits, exponent } = decimalOf(number);
  return digits.length <= exponent || digits === "";
}

/**
 * Whether a number divides by another without rest: `0.0075` does by `0.0001`. The time grows with their digits. A number
 * with an exponent above 2^53 divides by nothing.
 */
export function isMultipleOf(number: JsonNumber, divisor: JsonNumber): boolean {
  if (Number.isSafeInteger(number) && Number.isSafeInteger(divisor)) return Number(number) % Number(divisor) === 0;
  const [a, b] = [decimalOf(number), decimalOf(divisor)];
  if (a.digits === "") return true;
  const shift = a.exponent - a.digits.length - (b.exponent - b.digits.length);
  // Its last digit is no zero: it is no multiple of anything that ends with one.
  if (shift < 0 || !Number.isSafeInteger(shift)) return false;
  const modulus = BigInt(b.digits);
  return (BigInt(a.digits) * powerOfTen(shift, modulus)) % modulus === 0n;
}

function powerOfTen(exponent: number, modulus: bigint): bigint {
  let result = 1n;
  let base = 10n % modulus;
  for (let left = exponent; left >= 1; left = Math.floor(left / 2)) {
    if (left % 2 >= 1) result = (result * base) % modulus;
    base = (base * base) % modulus;
  }
  return result;
}

/** Whether two JSON values are equal: numbers by what they are worth, objects without regard to order. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === "string" || typeof a === "boolean") return false;
  return canonicalJson(a) === canonicalJson(b);
}

/** One text for all values that are {@link equalJson}. Not JSON itself. */
export function canonicalJson(value: unknown): string {
  if (isNumber(value)) {
    const { negative, digits, exponent } = decimalOf(value);
    return `${negative ? "-" : ""}0.${digits}e${exponent}`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(",")}}`;
}
