import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Network } from "./network.ts";
import type { Passwords } from "./passwords.ts";
import type { Settings } from "./settings.ts";

/** Where the servers are; addresses with passwords are secrets. */
export interface Servers {
  readonly databaseUrl: pulumi.Output<string>;
  readonly rabbitmqUrl: pulumi.Output<string>;
  readonly redisUrl: pulumi.Output<string>;
  readonly kafkaBrokers: pulumi.Output<string>;
  readonly rabbitmqAdmin: pulumi.Output<string>;
  readonly databaseId: pulumi.Output<string>;
  readonly redisId: pulumi.Output<string>;
}

/** Postgres, Kafka, RabbitMQ and Redis as AWS runs them: private, encrypted, and in two zones where it is for production. */
export function servers({ name, production }: Settings, net: Network, key: aws.kms.Key, passwords: Passwords): Servers {
  const database = new aws.rds.Instance(name, {
    engine: "postgres",
    engineVersion: "18",
    instanceClass: production ? "db.m7g.large" : "db.t4g.small",
    allocatedStorage: 100,
    maxAllocatedStorage: 1_000,
    storageType: "gp3",
    storageEncrypted: true,
    kmsKeyId: key.arn,
    dbName: "troupe",
    username: "troupe",
    password: passwords.database,
    multiAz: production,
    publiclyAccessible: false,
    deletionProtection: production,
    skipFinalSnapshot: !production,
    finalSnapshotIdentifier: `${name}-last`,
    backupRetentionPeriod: production ? 14 : 1,
    performanceInsightsEnabled: true,
    performanceInsightsKmsKeyId: key.arn,
    enabledCloudwatchLogsExports: ["postgresql"],
    // fsync and synchronous_commit stay on: a reply promises a durable commit.
    parameterGroupName: new aws.rds.ParameterGroup(name, {
      family: "postgres18",
      parameters: [
        { name: "rds.force_ssl", value: "1" },
        { name: "jit", value: "0" },
      ],
    }).name,
    dbSubnetGroupName: new aws.rds.SubnetGroup(name, { subnetIds: net.privateIds }).name,
    vpcSecurityGroupIds: [net.serverGroup("postgres", [5432]).id],
  });
  const kafka = new aws.msk.Cluster(name, {
    clusterName: name,
    kafkaVersion: "4.1.x.kraft",
    numberOfBrokerNodes: net.privateIds.length,
    brokerNodeGroupInfo: {
      instanceType: production ? "kafka.m7g.large" : "kafka.t3.small",
      clientSubnets: net.privateIds,
      securityGroups: [net.serverGroup("kafka", [9094]).id],
      storageInfo: { ebsStorageInfo: { volumeSize: 100 } },
    },
    encryptionInfo: {
      encryptionAtRestKmsKeyArn: key.arn,
      encryptionInTransit: { clientBroker: "TLS", inCluster: true },
    },
  });
  const rabbitmq = new aws.mq.Broker(name, {
    brokerName: name,
    engineType: "RabbitMQ",
    engineVersion: "4.2",
    hostInstanceType: "mq.m7g.medium",
    deploymentMode: production ? "CLUSTER_MULTI_AZ" : "SINGLE_INSTANCE",
    publiclyAccessible: false,
    autoMinorVersionUpgrade: true,
    subnetIds: production ? net.privateIds : net.privateIds.slice(0, 1),
    securityGroups: [net.serverGroup("rabbitmq", [5671, 443]).id],
    encryptionOptions: { useAwsOwnedKey: false, kmsKeyId: key.arn },
    users: [{ username: "troupe", password: passwords.rabbitmq }],
    logs: { general: true },
  });
  const redis = new aws.elasticache.ReplicationGroup(name, {
    description: "Redis streams and limits",
    engine: "valkey",
    engineVersion: "8.1",
    nodeType: production ? "cache.m7g.large" : "cache.t4g.small",
    numCacheClusters: production ? 2 : 1,
    automaticFailoverEnabled: production,
    multiAzEnabled: production,
    atRestEncryptionEnabled: true,
    kmsKeyId: key.arn,
    transitEncryptionEnabled: true,
    authToken: passwords.redis,
    subnetGroupName: new aws.elasticache.SubnetGroup(name, { subnetIds: net.privateIds }).name,
    securityGroupIds: [net.serverGroup("redis", [6379]).id],
    snapshotRetentionLimit: production ? 7 : 0,
  });
  const first = rabbitmq.instances.apply(([instance]) => instance);
  return {
    databaseUrl: pulumi.secret(
      pulumi.interpolate`postgres://troupe:${passwords.database}@${database.endpoint}/troupe?sslmode=require`,
    ),
    rabbitmqUrl: pulumi.secret(
      pulumi
        .all([first, passwords.rabbitmq])
        .apply(([instance, password]) =>
          (instance?.endpoints?.[0] ?? "amqps://").replace("amqps://", `amqps://troupe:${password}@`),
        ),
    ),
    redisUrl: pulumi.secret(pulumi.interpolate`rediss://:${passwords.redis}@${redis.primaryEndpointAddress}:6379`),
    kafkaBrokers: kafka.bootstrapBrokersTls,
    rabbitmqAdmin: first.apply((instance) => instance?.consoleUrl ?? ""),
    databaseId: database.identifier,
    redisId: redis.id,
  };
}
