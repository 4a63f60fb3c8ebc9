/** Roots that are made at once: to put one text together costs more than to cut it out of a long one. */
const POOL = 256;
const LENGTH = 55;
/** Where ids stand in a `traceparent`: `00-<32 digits>-<16 digits>-00`. */
const TRACE_ID_AT = 3;
const SPAN_ID_AT = 36;
const ID_BYTES = 24;

const DIGITS = new TextEncoder().encode("0123456789abcdef");
const ASCII = new TextDecoder("latin1");
const BLANK = new TextEncoder().encode(`00-${"0".repeat(32)}-${"0".repeat(16)}-00`);

/** The `traceparent` of traces that begin here and are not recorded, each another one. */
export class UnrecordedRoots {
  /** What all of them are cut out of, and where the next one stands in it. */
  pool = "";
  at = 0;
  #bytes: Uint8Array<ArrayBuffer> | undefined;

  next(): string {
    if (this.at === this.pool.length) this.#fill();
    return this.pool.slice(this.at, (this.at += LENGTH));
  }

  /** Where the id of the next trace stands in the pool: it is looked at there, which makes no text of it. */
  ahead(): number {
    if (this.at === this.pool.length) this.#fill();
    return this.at + TRACE_ID_AT;
  }

  #fill(): void {
    const bytes = (this.#bytes ??= blanks());
    // All zeros stand for no id: nobody will ever see them come.
    const random = crypto.getRandomValues(new Uint8Array(POOL * ID_BYTES));
    for (let root = 0; root < POOL; root++) {
      const from = root * ID_BYTES;
      const to = root * LENGTH;
      write(bytes, to + TRACE_ID_AT, random, from, from + 16);
      write(bytes, to + SPAN_ID_AT, random, from + 16, from + ID_BYTES);
    }
    this.pool = ASCII.decode(bytes);
    this.at = 0;
  }
}

function blanks(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(POOL * LENGTH);
  for (let root = 0; root < POOL; root++) bytes.set(BLANK, root * LENGTH);
  return bytes;
}

function write(bytes: Uint8Array, at: number, random: Uint8Array, from: number, until: number): void {
  let to = at;
  for (let i = from; i < until; i++) {
    const byte = random[i] as number;
    bytes[to++] = DIGITS[byte >> 4] as number;
    bytes[to++] = DIGITS[byte & 15] as number;
  }
}
