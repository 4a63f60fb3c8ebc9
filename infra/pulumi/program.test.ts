import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

setDefaultTimeout(120_000);

/** Its packages are large, and are installed by themselves: `bun install` in this folder. */
const installed = existsSync(join(import.meta.dir, "node_modules/@pulumi/aws"));

interface Made {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}
const made: Made[] = [];
const outputs: Record<string, unknown> = {};

beforeAll(async () => {
  if (!installed) return;
  const pulumi = await import("@pulumi/pulumi");
  process.env["PULUMI_CONFIG"] = JSON.stringify({
    "troupe:certificateArn": "arn:aws:acm:eu-central-1:1:certificate/c",
  });
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        const state: Record<string, unknown> = {
          ...inputs,
          arn: `arn:aws:x:eu-central-1:1:${name}`,
          name: inputs["name"] ?? name,
        };
        if (type.endsWith(":rds/instance:Instance")) Object.assign(state, { endpoint: "db:5432", identifier: name });
        if (type.endsWith(":mq/broker:Broker"))
          state["instances"] = [{ endpoints: ["amqps://mq:5671"], consoleUrl: "https://mq" }];
        if (type.endsWith(":msk/cluster:Cluster")) state["bootstrapBrokersTls"] = "k1:9094,k2:9094";
        if (type.startsWith("random:")) Object.assign(state, { hex: "0".repeat(64), base64: "A".repeat(43) });
        made.push({ type, name, inputs });
        return { id: `${name}-id`, state };
      },
      call: ({ token, inputs }) =>
        token.endsWith("getRegion") ? { region: "eu-central-1", name: "eu-central-1" } : inputs,
    },
    "troupe",
    "test",
    false,
  );
  const program = (await import("./index.ts")) as Record<string, unknown>;
  for (const [name, value] of Object.entries(program)) outputs[name] = value;
  await pulumi.runtime.disconnect();
  for (const [name, value] of Object.entries(outputs))
    outputs[name] = await new Promise((resolve) => void pulumi.output(value).apply(resolve));
});

const of = (type: string): Made[] => made.filter((one) => one.type.endsWith(`:${type}`));
const policies = (): string[] => of("RolePolicy").map(({ inputs }) => String(inputs["policy"]));

test.skipIf(!installed)(
  "every role is a Fargate service in the private subnets, the ingress behind the load balancer",
  () => {
    const services = of("Service").filter(({ type }) => type.includes("ecs"));
    expect(services.map(({ inputs }) => inputs["name"]).toSorted()).toEqual([
      "actors",
      "ingress",
      "nats",
      "temporal",
      "workflows",
    ]);
    for (const { inputs } of services)
      expect([inputs["launchType"], inputs["networkConfiguration"]]).toMatchObject([
        "FARGATE",
        { assignPublicIp: false, subnets: ["troupe-test-private-0-id", "troupe-test-private-1-id"] },
      ]);
    expect(
      services.filter(({ inputs }) => inputs["loadBalancers"] !== undefined).map(({ inputs }) => inputs["name"]),
    ).toEqual(["ingress"]);
    const containers = of("TaskDefinition").map(({ inputs }) => JSON.parse(String(inputs["containerDefinitions"]))[0]);
    const app = containers.filter(({ name }) => ["ingress", "actors", "workflows"].includes(name));
    for (const { secrets, environment, readonlyRootFilesystem, user } of app) {
      expect(secrets.map(({ name }: { name: string }) => name).toSorted()).toEqual([
        "DATABASE_URL",
        "RABBITMQ_URL",
        "REDIS_URL",
        "TROUPE_ADMIN_KEY",
        "TROUPE_SECRET_KEY",
      ]);
      expect(JSON.stringify(environment)).toContain('{"name":"KAFKA_BROKERS","value":"k1:9094,k2:9094"}');
      expect([readonlyRootFilesystem, user]).toEqual([true, "10001:10001"]);
    }
    expect(of("Target").length).toBe(3);
    expect(of("Policy").filter(({ type }) => type.includes("appautoscaling")).length).toBe(3);
  },
);

test.skipIf(!installed)(
  "there is one of each server, in two zones for production, with logs, alarms and outputs",
  () => {
    for (const type of [
      "rds/instance:Instance",
      "msk/cluster:Cluster",
      "mq/broker:Broker",
      "elasticache/replicationGroup:ReplicationGroup",
      "ecr/repository:Repository",
      "lb/loadBalancer:LoadBalancer",
      "cloudwatch/logGroup:LogGroup",
      "ec2/vpc:Vpc",
    ])
      expect([type, made.filter((one) => one.type === `aws:${type}`).length]).toEqual([type, 1]);
    expect(of("Instance")[0]?.inputs).toMatchObject({
      multiAz: true,
      deletionProtection: true,
      backupRetentionPeriod: 14,
    });
    expect(
      of("MetricAlarm")
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual([
      "troupe-test-actors-busy",
      "troupe-test-database-disk",
      "troupe-test-ingress-busy",
      "troupe-test-unhealthy",
      "troupe-test-workflows-busy",
    ]);
    expect(Object.keys(outputs).toSorted()).toEqual([
      "clusterName",
      "databaseId",
      "kafkaBrokers",
      "rabbitmqAdmin",
      "redisId",
      "repositoryUrl",
      "url",
      "vpcId",
    ]);
    expect(outputs["rabbitmqAdmin"]).toBe("https://mq");
  },
);

test.skipIf(!installed)("nothing is public but the load balancer", () => {
  const open = of("SecurityGroup").filter(({ inputs }) => JSON.stringify(inputs["ingress"]).includes("0.0.0.0/0"));
  expect(open.map(({ name }) => name)).toEqual(["troupe-test-edge"]);
  const withEdge = made.filter(({ inputs }) =>
    JSON.stringify(inputs["securityGroups"] ?? []).includes("troupe-test-edge-id"),
  );
  expect(withEdge.map(({ type }) => type)).toEqual(["aws:lb/loadBalancer:LoadBalancer"]);
  expect(of("Instance")[0]?.inputs["publiclyAccessible"]).toBe(false);
  expect(of("Broker")[0]?.inputs["publiclyAccessible"]).toBe(false);
  for (const { inputs } of of("Subnet")) expect(inputs["mapPublicIpOnLaunch"] ?? false).toBe(false);
  const plain = of("Listener").filter(({ inputs }) => inputs["protocol"] === "HTTP");
  expect(plain.map(({ inputs }) => JSON.stringify(inputs["defaultActions"]).includes("redirect"))).toEqual([true]);
});

test.skipIf(!installed)("everything is encrypted at rest and on its way", () => {
  expect(of("Instance")[0]?.inputs).toMatchObject({ storageEncrypted: true, kmsKeyId: expect.any(String) });
  expect(of("ReplicationGroup")[0]?.inputs).toMatchObject({
    atRestEncryptionEnabled: true,
    transitEncryptionEnabled: true,
  });
  expect(of("Cluster").find(({ type }) => type.includes("msk"))?.inputs["encryptionInfo"]).toMatchObject({
    encryptionInTransit: { clientBroker: "TLS", inCluster: true },
  });
  expect(of("Broker")[0]?.inputs["encryptionOptions"]).toMatchObject({ useAwsOwnedKey: false });
  expect(of("FileSystem")[0]?.inputs["encrypted"]).toBe(true);
  for (const type of ["LogGroup", "Secret"])
    for (const { inputs } of of(type)) expect(inputs["kmsKeyId"]).toBeDefined();
  expect(of("Topic")[0]?.inputs["kmsMasterKeyId"]).toBeDefined();
  expect(of("Key")[0]?.inputs["enableKeyRotation"]).toBe(true);
});

test.skipIf(!installed)("no policy allows everything, of actions or of resources", () => {
  expect(policies()).not.toBeEmpty();
  for (const policy of policies()) {
    for (const { Action, Resource } of (JSON.parse(policy) as { Statement: { Action: string[]; Resource: string[] }[] })
      .Statement)
      for (const one of [...Action, ...Resource]) expect(one).not.toContain("*");
  }
});
