import { fileKeys } from "../app/config-file.ts";
import { variableHelp } from "../app/settings.ts";

/** The page that {@link settingsPage} writes. */
export const SETTINGS_PAGE = "infra/docs/settings.md";

/** The page of all settings: each variable with its key in the file of `TROUPE_CONFIG`, its default and its meaning. */
export function settingsPage(): string {
  const keys = fileKeys();
  const cell = (text: string): string => text.replaceAll("|", "\\|");
  const code = (text: string | undefined): string => (text === undefined ? "" : `\`${cell(text)}\``);
  return `${[
    "# Settings",
    "",
    "Every setting of the app process. The environment wins over the file that `TROUPE_CONFIG` names, the file over the addresses of a running stack, those over the",
    "defaults. `bun run doctor` shows what is in force and where each value comes from. This page is made from the code by `bun scripts/docs/main.ts --write`, and a",
    "test compares the two.",
    "",
    "| variable | key in the file | default | meaning |",
    "|---|---|---|---|",
    ...variableHelp().map(
      ({ name, meaning, fallback }) =>
        `| \`${name}\` | ${code(keys.get(name))} | ${code(fallback)} | ${cell(meaning)} |`,
    ),
  ].join("\n")}\n`;
}
