import * as pulumi from "@pulumi/pulumi";

/** What a deployment is told: `pulumi config set troupe:…`. */
export interface Settings {
  readonly name: string;
  readonly cluster: string;
  readonly imageTag: string;
  readonly certificateArn: string;
  readonly production: boolean;
  /** Elsewhere; `undefined`: here, on Fargate. */
  readonly natsUrl: string | undefined;
  readonly temporalAddress: string | undefined;
}

/** Reads the settings of the stack. */
export function readSettings(): Settings {
  const config = new pulumi.Config("troupe");
  return {
    name: `troupe-${pulumi.getStack()}`,
    cluster: config.get("cluster") ?? "default",
    imageTag: config.get("imageTag") ?? "latest",
    certificateArn: config.require("certificateArn"),
    production: config.getBoolean("production") ?? true,
    natsUrl: config.get("natsUrl") || undefined,
    temporalAddress: config.get("temporalAddress") || undefined,
  };
}
