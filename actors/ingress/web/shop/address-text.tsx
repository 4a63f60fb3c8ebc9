import type { Address } from "./types.ts";

/** An address in lines. */
export function AddressText({ address }: { address: Address | null }) {
  if (address === null) return <span className="soft">None given</span>;
  if (typeof address === "string") return <span>{address}</span>;
  const { name, street, postcode, city, country, ...rest } = address;
  const lines = [name, street, [postcode, city].filter(Boolean).join(" "), country, ...Object.values(rest)];
  return (
    <address>
      {lines.filter(Boolean).map((line) => (
        <div key={line}>{line}</div>
      ))}
    </address>
  );
}
