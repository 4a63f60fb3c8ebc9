/** Says on stderr what a benchmark is at: stdout is for its figures. */
export function progress(text: string): void {
  process.stderr.write(`… ${text}\n`);
}
