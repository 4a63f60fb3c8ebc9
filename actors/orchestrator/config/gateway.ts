import * as v from "valibot";
import { suggest } from "#infra/base/suggest.ts";
import type { Finding } from "#infra/yaml/issue.ts";
import type { GatewayRule } from "./messages.ts";
import { NameText, Text } from "./values.ts";

const MUST_BE_MAP = "must be a map";
const PATH = /^\/[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*$/;
const ORIGIN = /^https?:\/\/[a-z0-9.[\]:-]+$/;

/** A rule as it is written in the file. */
export const Rule = v.object(
  {
    path: v.pipe(
      Text(255),
      v.regex(PATH, 'must be a path without a slash at its end, as in "/shop"'),
      v.check((path) => !path.split("/").some((part) => part === "." || part === ".."), "must not hold . or .."),
      v.check((path) => path !== "/s" && !path.startsWith("/s/"), "is where services are reached by name"),
    ),
    service: v.optional(NameText),
    stripPrefix: v.optional(v.boolean("must be true or false")),
    cors: v.optional(
      v.object(
        {
          origins: v.pipe(
            v.array(
              v.pipe(Text(255), v.regex(ORIGIN, 'must be an origin, as in "https://shop.example"')),
              "must be a list",
            ),
            v.maxLength(50, "must be at most 50 long"),
          ),
        },
        MUST_BE_MAP,
      ),
    ),
    rateLimit: v.optional(v.pipe(v.number("must be a number"), v.gtValue(0, "must be more than 0"))),
    key: v.optional(
      v.picklist(["orders", "events", "services", "admin"], "must be a scope: orders, events, services or admin"),
    ),
  },
  MUST_BE_MAP,
);
const KEYS = Object.keys(Rule.entries);
const MAX_RULES = 100;

/** The section `gateway` of a file: which paths lead to which services, and what binds our own. */
export function checkGateway(file: Record<string, unknown>, findings: Finding[]): GatewayRule[] {
  const { gateway, services } = file;
  if (gateway === undefined) return [];
  if (!Array.isArray(gateway) || gateway.length > MAX_RULES) {
    findings.push({ at: ["gateway"], message: `must be a list of at most ${MAX_RULES} rules`, expected: "a list" });
    return [];
  }
  const known = typeof services === "object" && services !== null && !Array.isArray(services) ? services : {};
  const paths = new Set<string>();
  return gateway.flatMap((rule: unknown, index) => {
    const at = ["gateway", index];
    if (Array.isArray(rule)) {
      findings.push({ at, message: MUST_BE_MAP, expected: "a map", received: "a list" });
      return [];
    }
    for (const key of Object.keys((rule ?? {}) as object)) {
      if (KEYS.includes(key)) continue;
      const meant = suggest(key, KEYS);
      const message = meant ? `is not a known key: did you mean ${meant}?` : "is not a known key";
      findings.push({ at: [...at, key], onKey: true, message, expected: `one of ${KEYS.join(", ")}` });
    }
    const parsed = v.safeParse(Rule, rule);
    if (!parsed.success) {
      for (const issue of parsed.issues) {
        const path = (issue.path ?? []).map((item) => item.key as string | number);
        const message = issue.input === undefined && path.length > 0 ? "is required" : issue.message;
        findings.push({ at: [...at, ...path], message });
      }
      return [];
    }
    const { path, service = null, stripPrefix, cors, rateLimit = null, key = null } = parsed.output;
    if (service === null && stripPrefix !== undefined)
      findings.push({ at: [...at, "stripPrefix"], onKey: true, message: "is for rules with a service alone" });
    if (service === null && cors === undefined && rateLimit === null && key === null)
      findings.push({ at, message: "says nothing: it needs a service, or cors, rateLimit or key for our own routes" });
    if (service !== null && !Object.hasOwn(known, service))
      findings.push({ at: [...at, "service"], message: "is no service of this file" });
    if (paths.has(path)) findings.push({ at: [...at, "path"], message: "stands in another rule already" });
    paths.add(path);
    return [{ path, service, stripPrefix: stripPrefix ?? true, origins: cors?.origins ?? [], rateLimit, key }];
  });
}

/** Rules as they would be written in a file. */
export function gatewayForm(rules: readonly GatewayRule[]): Record<string, unknown>[] {
  return rules.map(({ path, service, stripPrefix, origins, rateLimit, key }) => ({
    path,
    ...(service === null ? {} : { service, stripPrefix }),
    ...(origins.length > 0 ? { cors: { origins } } : {}),
    ...(rateLimit === null ? {} : { rateLimit }),
    ...(key === null ? {} : { key }),
  }));
}
