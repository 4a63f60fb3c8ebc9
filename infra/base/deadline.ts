import { withResolvers } from "#runtime/internal";

/**
 * The outcome of `work`, when it comes within `ms`. Work that is late goes on, and its outcome is nobody's concern any more.
 *
 * @param late makes the error to reject with after `ms`; what has to be ended then can be ended there.
 */
export async function within<T>(ms: number, work: PromiseLike<T>, late: () => Error): Promise<T> {
  const over = withResolvers<never>();
  const timer = setTimeout(() => over.reject(late()), ms);
  const running = Promise.resolve(work);
  running.catch(() => undefined);
  try {
    return await Promise.race([running, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
