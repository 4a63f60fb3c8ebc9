/** Troupe on AWS: `pulumi up`. Nothing is public but the load balancer; everything at rest and on its way is encrypted. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { alarms } from "./alarms.ts";
import { balancer } from "./balancer.ts";
import { network } from "./network.ts";
import { passwords as randomPasswords } from "./passwords.ts";
import { servers } from "./servers.ts";
import { type Platform, service } from "./services.ts";
import { readSettings } from "./settings.ts";

const settings = readSettings();
const { name, production } = settings;
const region = aws.getRegionOutput().region;
const zones = ["a", "b"];

const net = network(name, await Promise.all(zones.map(async (zone) => `${(await aws.getRegion()).region}${zone}`)));
const key = new aws.kms.Key(name, { description: "Troupe at rest", enableKeyRotation: true, deletionWindowInDays: 30 });
const repository = new aws.ecr.Repository(name, {
  name,
  imageTagMutability: "IMMUTABLE",
  imageScanningConfiguration: { scanOnPush: true },
  encryptionConfigurations: [{ encryptionType: "KMS", kmsKey: key.arn }],
});
const passwords = randomPasswords(name);
const run = servers(settings, net, key, passwords);

/** A value in Secrets Manager; answers its ARN. */
function kept(secret: string, value: pulumi.Input<string>): pulumi.Output<string> {
  const holder = new aws.secretsmanager.Secret(`${name}-${secret}`, {
    kmsKeyId: key.arn,
    recoveryWindowInDays: production ? 30 : 0,
  });
  new aws.secretsmanager.SecretVersion(`${name}-${secret}`, {
    secretId: holder.id,
    secretString: pulumi.secret(value),
  });
  return holder.arn;
}
const secrets = {
  DATABASE_URL: kept("database-url", run.databaseUrl),
  RABBITMQ_URL: kept("rabbitmq-url", run.rabbitmqUrl),
  REDIS_URL: kept("redis-url", run.redisUrl),
  TROUPE_ADMIN_KEY: kept("admin-key", passwords.adminKey),
  TROUPE_SECRET_KEY: kept("secret-key", passwords.secretKey),
};

const logs = new aws.cloudwatch.LogGroup(name, {
  name: `/troupe/${name}`,
  retentionInDays: production ? 90 : 7,
  kmsKeyId: key.arn,
});
const assume = aws.iam.assumeRolePolicyForPrincipal({ Service: "ecs-tasks.amazonaws.com" });
const execution = new aws.iam.Role(`${name}-execution`, { assumeRolePolicy: assume });
new aws.iam.RolePolicy(`${name}-execution`, {
  role: execution.id,
  policy: pulumi.all([...Object.values(secrets), key.arn, repository.arn, logs.arn]).apply((arns) => {
    const [logsArn = "", repositoryArn = "", keyArn = "", ...secretArns] = arns.toReversed();
    return JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: ["secretsmanager:GetSecretValue"], Resource: secretArns },
        { Effect: "Allow", Action: ["kms:Decrypt"], Resource: [keyArn] },
        {
          Effect: "Allow",
          Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
          Resource: [repositoryArn],
        },
        {
          Effect: "Allow",
          Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
          Resource: [`${logsArn}:log-stream:app/${name}`, logsArn],
        },
      ],
    });
  }),
});
// The app itself calls nothing of AWS.
const task = new aws.iam.Role(`${name}-task`, { assumeRolePolicy: assume });
const cluster = new aws.ecs.Cluster(name, { name, settings: [{ name: "containerInsights", value: "enabled" }] });
const platform: Platform = { prefix: name, cluster, network: net, logs, execution, task, region };

const zone = new aws.servicediscovery.PrivateDnsNamespace(name, { name: `${name}.internal`, vpc: net.vpc.id });
const disk = new aws.efs.FileSystem(name, { encrypted: true, kmsKeyId: key.arn });

/** A server that AWS does not run: one task with a disk of its own in the private zone. */
function onFargate(server: string, image: string, port: number, command: readonly string[]): pulumi.Output<string> {
  const group = net.serverGroup(server, [port]);
  const owner = { uid: 10001, gid: 10001 };
  const access = new aws.efs.AccessPoint(`${name}-${server}`, {
    fileSystemId: disk.id,
    posixUser: owner,
    rootDirectory: {
      path: `/${server}`,
      creationInfo: { ownerUid: owner.uid, ownerGid: owner.gid, permissions: "0700" },
    },
  });
  const registry = new aws.servicediscovery.Service(`${name}-${server}`, {
    name: server,
    dnsConfig: { namespaceId: zone.id, dnsRecords: [{ type: "A", ttl: 10 }] },
  });
  service(platform, {
    name: server,
    image,
    cpu: 1_024,
    memory: 2_048,
    count: 1,
    max: 1,
    command,
    environment: {},
    secrets: {},
    groups: [group.id],
    port,
    registry,
    volume: { path: "/data", access },
  });
  return pulumi.interpolate`${server}.${zone.name}:${port}`;
}
const nats =
  settings.natsUrl ??
  pulumi.interpolate`nats://${onFargate("nats", "nats:2.12.2-alpine", 4222, ["--jetstream", "--store_dir", "/data/nats"])}`;
const temporal =
  settings.temporalAddress ??
  onFargate("temporal", "temporalio/temporal:1.9.1", 7233, [
    ...["server", "start-dev", "--ip", "0.0.0.0", "--db-filename", "/data/temporal.db"],
    ...["--search-attribute", "OrderId=Keyword", "--search-attribute", "OrderStatus=Keyword"],
  ]);
const diskGroup = new aws.ec2.SecurityGroup(`${name}-disk`, {
  vpcId: net.vpc.id,
  description: "The disks of NATS and Temporal",
  ingress: [{ protocol: "tcp", fromPort: 2049, toPort: 2049, cidrBlocks: ["10.20.0.0/16"] }],
});
net.privateIds.forEach((subnetId, i) => {
  new aws.efs.MountTarget(`${name}-${i}`, { fileSystemId: disk.id, subnetId, securityGroups: [diskGroup.id] });
});

const { target, address } = balancer(settings, net);
const image = pulumi.interpolate`${repository.repositoryUrl}:${settings.imageTag}`;
const ROLES = {
  ingress: { cpu: 1_024, memory: 2_048, count: 2, max: 10 },
  actors: { cpu: 2_048, memory: 4_096, count: 3, max: 12 },
  workflows: { cpu: 1_024, memory: 4_096, count: 2, max: 6 },
} as const;
for (const [role, size] of Object.entries(ROLES)) {
  service(platform, {
    name: role,
    image,
    ...size,
    environment: {
      TROUPE_ROLES: role,
      TROUPE_CLUSTER: settings.cluster,
      TROUPE_STOP_GRACE: "15s",
      TROUPE_SEED: "off",
      TRUSTED_PROXIES: "10.20.0.0/16",
      API_RATE_LIMIT_STORE: "redis",
      NATS_URL: nats,
      KAFKA_BROKERS: run.kafkaBrokers,
      KAFKA_TLS: "on",
      TEMPORAL_ADDRESS: temporal,
    },
    secrets,
    groups: [net.app.id],
    port: 3000,
    ...(role === "ingress" && { target }),
  });
}
alarms({ name, cluster, target, databaseId: run.databaseId, roles: Object.keys(ROLES) });

export const url = address;
export const vpcId = net.vpc.id;
export const clusterName = cluster.name;
export const repositoryUrl = repository.repositoryUrl;
export const rabbitmqAdmin = run.rabbitmqAdmin;
export const kafkaBrokers = run.kafkaBrokers;
export const databaseId = run.databaseId;
export const redisId = run.redisId;
