/** A request that a page shows as a `curl` command. */
export interface ShownRequest {
  readonly line: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** As its header says. @default application/json */
  readonly contentType: string;
  /** The JSON of its body, where the page writes it out; `undefined` where there is none, or a shell makes it. */
  readonly body: unknown;
}

/** Where an address begins that is ours: any of these, then the path. */
const OURS = /(?:https?:\/\/)?(?:localhost:3\d{3}|shop\.example)(\/[^\s'"]*)|\$api(\/[^\s'"]*)/u;

/** The requests to the app that a page shows, in its blocks of shell commands. */
export function shownRequests(markdown: string): ShownRequest[] {
  return shellLines(markdown).flatMap(({ text, line }) =>
    text
      .split(/(?=\bcurl\s)/u)
      .filter((command) => command.startsWith("curl"))
      .flatMap((command) => {
        const address = OURS.exec(command);
        if (address === null) return [];
        const [, direct, byVariable] = address;
        const path = (direct ?? byVariable ?? "").split("?")[0] ?? "";
        const [, data] = /\s(?:-d|--data)\s+'([^']*)'(?!["\w$])/u.exec(command) ?? [];
        const method = /\s-X\s+([A-Z]+)/u.exec(command)?.[1] ?? (/\s(?:-d|--data)/u.test(command) ? "POST" : "GET");
        const [, contentType = "application/json"] = /content-type:\s*([\w/+.-]+)/iu.exec(command) ?? [];
        return [{ line, method, path, contentType, body: data === undefined ? undefined : jsonOf(data) }];
      }),
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the shell puts the rest together
  }
}

/** The commands of the shell blocks: what is continued by a backslash, or within quotes, is one. */
function shellLines(markdown: string): { readonly text: string; readonly line: number }[] {
  const commands: { text: string; line: number }[] = [];
  let inside = false;
  let open: { text: string; line: number } | undefined;
  for (const [index, text] of markdown.split("\n").entries()) {
    if (text.startsWith("```")) {
      inside = text === "```sh" && !inside;
      open = undefined;
      continue;
    }
    if (!inside) continue;
    if (open === undefined) {
      open = { text, line: index + 1 };
      commands.push(open);
    } else {
      open.text += `\n${text}`;
    }
    const whole = open.text.replaceAll(/#.*$/gmu, "");
    if (text.endsWith("\\")) open.text = open.text.slice(0, -1);
    else if ((whole.split("'").length - 1) % 2 === 0) open = undefined;
  }
  return commands;
}
