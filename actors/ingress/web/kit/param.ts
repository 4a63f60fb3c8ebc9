import { useParams } from "wouter";

/** A part of the address, as it was before it was escaped; empty where the address has none. */
export function useParam(name: string): string {
  const part = useParams()[name] ?? "";
  try {
    // The router leaves the escapes of `/` and its like.
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
