const MARK = "… ";

/** Says on stderr what a benchmark is at: stdout is for its figures. */
export function progress(text: string): void {
  process.stderr.write(`${MARK}${text}\n`);
}

/** Whether a line on stderr was said by {@link progress}. */
export function isProgress(line: string): boolean {
  return line.startsWith(MARK);
}
