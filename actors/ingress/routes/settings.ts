import * as v from "valibot";
import { endpoint, endpoints } from "#infra/http/endpoint.ts";
import type { SettingInForce } from "../deps.ts";

const Settings = v.object({
  items: v.array(v.object({ name: v.string(), value: v.string(), origin: v.string(), meaning: v.string() })),
});

/** What this process was told, by whom. */
export function settingsRoutes(settings: () => readonly SettingInForce[]) {
  return endpoints("settings", [
    endpoint(
      {
        tag: "System",
        noun: "system",
        scope: "admin",
        method: "GET",
        path: "/settings",
        summary: "Show the settings in force, and where each comes from",
        description:
          "Those of the process that answers. `origin` is `environment`, the line of the file, `running stack` or `default`. Addresses come without their passwords, and of a key only that it is set.",
        answer: { status: 200, description: "Every setting that has a value", schema: Settings },
      },
      () => ({ items: settings().map((setting) => ({ ...setting })) }),
    ),
  ]);
}
