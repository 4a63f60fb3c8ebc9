import type * as pulumi from "@pulumi/pulumi";
import { RandomBytes } from "@pulumi/random";

/** Random passwords and keys, which stay the same for the life of the stack; Pulumi's state holds them sealed. */
export interface Passwords {
  readonly database: pulumi.Output<string>;
  readonly rabbitmq: pulumi.Output<string>;
  readonly redis: pulumi.Output<string>;
  readonly adminKey: pulumi.Output<string>;
  readonly secretKey: pulumi.Output<string>;
}

export function passwords(name: string): Passwords {
  const bytes = (of: string): RandomBytes => new RandomBytes(`${name}-${of}`, { length: 32 });
  return {
    database: bytes("database").hex,
    rabbitmq: bytes("rabbitmq").hex,
    redis: bytes("redis").hex,
    adminKey: bytes("admin-key").hex,
    secretKey: bytes("secret-key").base64,
  };
}
