/** Lines of a message may take this many characters together; a longer one goes alone. */
const MAX_CHARS = 128 * 1024;

/**
 * Gathers what is to be sent to a subject in the same moment, and hands it over together: once everything that is ready
 * to run has run, or when a message is full. Order within a subject is kept.
 */
export class LineQueue<T extends { readonly text: string }> {
  readonly #send: (subject: string, lines: readonly T[]) => void;
  #gathered = new Map<string, { lines: T[]; chars: number }>();
  #scheduled = false;

  constructor(send: (subject: string, lines: readonly T[]) => void) {
    this.#send = send;
  }

  add(subject: string, line: T): void {
    let gathered = this.#gathered.get(subject);
    if (gathered !== undefined && gathered.chars + line.text.length > MAX_CHARS) {
      this.#gathered.delete(subject);
      this.#send(subject, gathered.lines);
      gathered = undefined;
    }
    if (gathered === undefined) this.#gathered.set(subject, (gathered = { lines: [], chars: 0 }));
    gathered.lines.push(line);
    gathered.chars += line.text.length;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.flush());
  }

  /** Hands over what has gathered. */
  flush(): void {
    this.#scheduled = false;
    const gathered = this.#gathered;
    this.#gathered = new Map();
    for (const [subject, { lines }] of gathered) this.#send(subject, lines);
  }
}
