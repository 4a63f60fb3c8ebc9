import { type ComponentType, lazy } from "react";

const AGAIN_AFTER_MS = [200, 1_000, 3_000] as const;

/**
 * A part of a page that is loaded when it is first shown. A load that fails is tried three times more: a browser gives up what is
 * under way when its machine changes networks, and without its part the page would be blank.
 */
export function loadLater<Props>(
  load: () => Promise<ComponentType<Props>>,
): ReturnType<typeof lazy<ComponentType<Props>>> {
  return lazy(async () => {
    for (const afterMs of AGAIN_AFTER_MS) {
      const part = await load().catch(() => undefined);
      if (part !== undefined) return { default: part };
      await new Promise((resolve) => setTimeout(resolve, afterMs));
    }
    return { default: await load() };
  });
}
