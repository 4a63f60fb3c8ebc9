import type { LineEvent } from "./line.ts";

/** A line without a sign of life for this long is dead. A door gives one every 5 s. */
export const SILENCE_MS = 20_000;
/** Characters of one event or line, at most. */
const MAX_LENGTH = 4_194_304;

/** Reads an event stream (WHATWG HTML, 9.2.6). `silent` is called when nothing came for {@link SILENCE_MS}. */
export async function* serverEvents(response: Response, silent: () => void): AsyncGenerator<LineEvent, void> {
  for await (const block of pieces(response, "\n\n", silent)) {
    const event = eventOf(block);
    if (event !== undefined) yield event;
  }
}

/** The parts of a text between `separator`, as they come. What stands behind the last one is left out. */
export async function* pieces(response: Response, separator: string, silent: () => void): AsyncGenerator<string, void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const text = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const timer = setTimeout(silent, SILENCE_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      rest += text.decode(value, { stream: true }).replaceAll("\r\n", "\n");
      const parts = rest.split(separator);
      rest = parts.pop() ?? "";
      if (rest.length > MAX_LENGTH) throw new Error("The line is too long");
      yield* parts;
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

function eventOf(block: string): LineEvent | undefined {
  let event = "message";
  let id: string | undefined;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "event") event = value;
    else if (field === "id") id = value;
    else if (field === "data") data.push(value);
  }
  return data.length === 0 ? undefined : { event, id, data: JSON.parse(data.join("\n")) };
}
