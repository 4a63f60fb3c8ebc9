/** Ctrl-C and its relatives: the first one asks to stop in order, the second one forces. */

/** Aborts on the first SIGINT, SIGTERM or SIGHUP; calls `force` on the next one. */
export function stopSignal(force: () => void): AbortSignal {
  const controller = new AbortController();
  // One Ctrl-C may arrive twice: from the terminal, and passed on by whoever runs us.
  let firstAt: number | undefined;
  const onSignal = (): void => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      controller.abort(new Error("Stopped"));
    } else if (performance.now() - firstAt > 300) {
      force();
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  // Bun 1.4 turns its event loop without a pause while a module awaits and nothing else holds the process: a core of its own.
  const hold = setInterval(() => undefined, 2 ** 30);
  controller.signal.addEventListener("abort", () => clearInterval(hold), { once: true });
  return controller.signal;
}
