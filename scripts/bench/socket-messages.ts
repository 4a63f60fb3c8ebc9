/** What the sockets' benchmark and its two processes say to one another, over the channel of their parent. */
export type Command =
  /** To the server: broadcast `rate` a second for `seconds`, numbered from `from`, to the topics in turn. */
  | {
      readonly kind: "feed";
      readonly from: number;
      readonly rate: number;
      readonly seconds: number;
      readonly topics: number;
    }
  /** To the server: the same from so many callers, each as fast as it can. */
  | {
      readonly kind: "drive";
      readonly from: number;
      readonly callers: number;
      readonly seconds: number;
      readonly topics: number;
    }
  /** To the server: its memory, after a collection. */
  | { readonly kind: "rss" }
  /** To the clients: open sockets, dealt to the topics in turn. */
  | { readonly kind: "open"; readonly port: number; readonly sockets: number; readonly topics: number }
  /** To the clients: when they have heard `count` messages numbered from `from`. */
  | { readonly kind: "heard"; readonly from: number; readonly count: number };

/** Times are milliseconds since the epoch, with fractions: the processes share a machine, and so a clock. */
export type Result =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "fed"; readonly times: readonly (readonly [n: number, at: number])[] }
  | { readonly kind: "rss"; readonly rssMb: number }
  | { readonly kind: "open" }
  | { readonly kind: "heard"; readonly times: readonly (readonly [n: number, at: number])[] };

/** Now, comparable between processes. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

/** Answers commands of the parent, one after the other, until it ends. */
export function answerParent(answer: (command: Command) => Promise<Result>): void {
  let work: Promise<unknown> = Promise.resolve();
  process.on("message", (command: Command) => {
    work = work.then(() => answer(command)).then((result) => process.send?.(result));
  });
  process.on("disconnect", () => process.exit(0));
}

export const topicOf = (n: number, topics: number): string => `bench/t${n % topics}`;
