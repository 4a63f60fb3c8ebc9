/** A value as it may be shown: what proves who somebody is stays inside, whatever actor holds it. */
export function withoutSecrets(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutSecrets);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      /^secrets?$/.test(name) ? "[secret]" : withoutSecrets(member),
    ]),
  );
}
