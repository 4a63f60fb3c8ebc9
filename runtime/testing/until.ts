/**
 * Asks until the answer holds, and gives it.
 * @throws {Error} not within 10 s; says what the answer was.
 */
export async function until<T>(ask: () => T | Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  const end = performance.now() + 10_000;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (performance.now() > end) throw new Error(`Still ${JSON.stringify(answer)} after 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
