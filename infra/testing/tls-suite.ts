import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ClientTls, readClientTls } from "../base/tls.ts";
import { type Certificate, type Certificates, makeCertificates } from "./certificates.ts";

/** A server that speaks TLS alone, with one certificate, and asks clients for theirs where it can. */
export interface TlsServer extends AsyncDisposable {
  /** The address by one of its two names. */
  address(host: "localhost" | "127.0.0.1"): string;
}

/** What is tested. */
export interface TlsSubject {
  /** Called once, where one server shows all of the certificates at different ports. */
  prepare?(certificates: Certificates): Promise<void>;
  serve(certificate: Certificate, ca: Certificate): Promise<TlsServer>;
  /** Resolves when the server was spoken to; rejects when it cannot be trusted, within a few seconds. */
  speak(address: string, tls: ClientTls): Promise<unknown>;
  /** Whether the server asks clients for a certificate. @default true */
  readonly asks?: boolean;
}

/** Declares the tests that every client of a TLS server passes, against a real one: good, wrong and expired certificates. */
export function tlsSuite(name: string, { prepare, serve, speak, asks = true }: TlsSubject): void {
  describe(`${name} by TLS`, () => {
    let certificates: Certificates;
    beforeAll(async () => {
      certificates = await makeCertificates();
      await prepare?.(certificates);
    }, 300_000);
    afterAll(() => certificates[Symbol.asyncDispose]());

    const ours = (): ClientTls =>
      readClientTls({
        ca: certificates.ca.certFile,
        cert: certificates.client.certFile,
        key: certificates.client.keyFile,
      });

    test("speaks to a server with a good certificate, by name and by address", async () => {
      await using server = await serve(certificates.good, certificates.ca);
      await speak(server.address("localhost"), ours());
      await speak(server.address("127.0.0.1"), ours());
    }, 120_000);

    const bad = [
      ["made for another host", "elsewhere", "localhost"],
      ["made for another address", "elsewhere", "127.0.0.1"],
      ["that has expired", "expired", "localhost"],
      ["of an authority that nobody knows", "stranger", "localhost"],
    ] as const;
    test.each(bad)(
      "refuses a certificate %s",
      async (_, which, host) => {
        await using server = await serve(certificates[which], certificates.ca);
        await expect(speak(server.address(host), ours())).rejects.toThrow();
      },
      120_000,
    );

    test("trusts the system's authorities alone where it is given none", async () => {
      await using server = await serve(certificates.good, certificates.ca);
      const { cert, key } = ours() as Required<ClientTls>;
      await expect(speak(server.address("localhost"), { cert, key })).rejects.toThrow();
    }, 120_000);

    if (!asks) return;
    test("is refused by a server that asks for a certificate, without one", async () => {
      await using server = await serve(certificates.good, certificates.ca);
      await expect(speak(server.address("localhost"), { ca: certificates.ca.cert })).rejects.toThrow();
    }, 120_000);
  });
}

/** Resolves when somebody listens there. */
export async function listens(port: number): Promise<void> {
  const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => undefined } });
  socket.end();
}
