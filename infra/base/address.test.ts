import { expect, test } from "bun:test";
import { readAddresses, withoutCredentials } from "./address.ts";

test.each([
  ["postgres://u:s3cret@h:5432/d", "postgres://h:5432/d"],
  ["postgres://u:s3cret@h1:5432,h2:5433/d?sslmode=verify-full&password=s3cret", "postgres://h1:5432,h2:5433/d"],
  ["postgres://h/d?user=u&password=s3cret", "postgres://h/d"],
  ["postgres:///d?host=/run/postgresql&password=s3cret", "postgres:///d"],
  ["nats://u:s3cret@a:1,nats://u:s3cret@b:2", "nats://a:1,nats://b:2"],
  ["nats://u:s3cret@a:1, nats://b:2", "nats://a:1,nats://b:2"],
  ["nats://u:s3cret@a:1,b:2", "nats://a:1,b:2"],
  ["nats://u:s3,cret@a:1", "nats://a:1"],
  ["nats://u:s3,cr@et@a:1,nats://b", "nats://a:1,nats://b"],
  ["nats://s3cret@a:1", "nats://a:1"],
  ["u:s3cret@a:1,b:2", "a:1,b:2"],
  ["amqps://u:s3c%2Fret@h/vhost", "amqps://h/vhost"],
  ["redis://:s3cret@h:6379/0", "redis://h:6379/0"],
  ["rediss://default:s3c:ret@h:6379", "rediss://h:6379"],
  ["127.0.0.1:9092", "127.0.0.1:9092"],
  ["a.example:9092,b.example:9092", "a.example:9092,b.example:9092"],
  ["[::1]:7233", "[::1]:7233"],
  ["http://u:s3cret@[fe80::1]:80/", "http://[fe80::1]:80/"],
  ["unix:///var/run/docker.sock", "unix:///var/run/docker.sock"],
  // Which of it is the password cannot be told.
  ["postgres://u:s3/cret@h:5432/d", "postgres://…"],
  ["postgres://u:s3?cret@h:5432/d", "postgres://…"],
  ["postgres://u:s3#cret@h:5432/d", "postgres://…"],
  ["postgres://h/d?password=x@s3cret", "postgres://…"],
  ["postgres://u:s3cret", "postgres://…"],
  ["nats://a:1,u:s3cret", "nats://…"],
  ["s3cret of mine", "…"],
  ["", "…"],
])("withoutCredentials(%j) is %j", (address, shown) => {
  expect(withoutCredentials(address)).toBe(shown);
  expect(shown).not.toContain("s3");
});

test("no part of a password is ever shown, whatever it is made of", () => {
  const signs = ["@", ",", ":", "/", "?", "#", "%", " ", "[", "]", "://", "&", "=", ".", "\\"];
  for (const one of signs) {
    for (const other of signs) {
      const password = `qzx${one}qzy${other}qzw`;
      for (const form of [`nats://u:${password}@h:1`, `u:${password}@h:1,i:2`, `postgres://h/d?password=${password}`])
        expect(withoutCredentials(form)).not.toMatch(/qz[xyw]/);
    }
  }
});

test("readAddresses() reads user and password, decoded, and every host", () => {
  expect(readAddresses("nats://me:p%40s,s@a:1,b, c:3")).toEqual([
    {
      scheme: "nats",
      credentials: { user: "me", password: "p@s,s" },
      hosts: ["a:1", "b", "c:3"],
      path: "",
    },
  ]);
  expect(readAddresses("token%@a")[0]?.credentials).toEqual({ user: "token%", password: undefined });
});
