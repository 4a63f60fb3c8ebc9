import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Network } from "./network.ts";

/** One kind of process on Fargate. */
export interface ServiceSpec {
  readonly name: string;
  readonly image: pulumi.Input<string>;
  readonly cpu: number;
  readonly memory: number;
  readonly count: number;
  /** At most, by the processor; the same as `count`: it does not scale. */
  readonly max: number;
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  /** Variables whose values stand in Secrets Manager: their ARNs. */
  readonly secrets: Readonly<Record<string, pulumi.Input<string>>>;
  readonly groups: pulumi.Input<string>[];
  readonly port: number;
  readonly target?: aws.lb.TargetGroup;
  /** The name in the private zone, by which others find it. */
  readonly registry?: aws.servicediscovery.Service;
  /** A folder that outlives the process. */
  readonly volume?: { readonly path: string; readonly access: aws.efs.AccessPoint };
}

/** What the services of one stack share. */
export interface Platform {
  readonly prefix: string;
  readonly cluster: aws.ecs.Cluster;
  readonly network: Network;
  readonly logs: aws.cloudwatch.LogGroup;
  readonly execution: aws.iam.Role;
  readonly task: aws.iam.Role;
  readonly region: pulumi.Input<string>;
}

/** Runs it: a task definition, a service in the private subnets, and its scaling. */
export function service(on: Platform, spec: ServiceSpec): aws.ecs.Service {
  const name = `${on.prefix}-${spec.name}`;
  const { volume } = spec;
  const container = pulumi
    .all([spec.image, spec.environment, spec.secrets, on.logs.name, on.region])
    .apply(([image, environment, secrets, group, region]) =>
      JSON.stringify([
        {
          name: spec.name,
          image,
          essential: true,
          ...(spec.command && { command: spec.command }),
          readonlyRootFilesystem: volume === undefined,
          user: "10001:10001",
          linuxParameters: { initProcessEnabled: true, capabilities: { drop: ["ALL"] } },
          portMappings: [{ containerPort: spec.port, protocol: "tcp" }],
          environment: Object.entries(environment).map(([key, value]) => ({ name: key, value })),
          secrets: Object.entries(secrets).map(([key, valueFrom]) => ({ name: key, valueFrom })),
          mountPoints: [
            { sourceVolume: "tmp", containerPath: "/tmp" },
            ...(volume === undefined ? [] : [{ sourceVolume: "data", containerPath: volume.path }]),
          ],
          stopTimeout: 60,
          logConfiguration: {
            logDriver: "awslogs",
            options: { "awslogs-group": group, "awslogs-region": region, "awslogs-stream-prefix": spec.name },
          },
        },
      ]),
    );
  const definition = new aws.ecs.TaskDefinition(name, {
    family: name,
    requiresCompatibilities: ["FARGATE"],
    networkMode: "awsvpc",
    runtimePlatform: { cpuArchitecture: "X86_64", operatingSystemFamily: "LINUX" },
    cpu: String(spec.cpu),
    memory: String(spec.memory),
    executionRoleArn: on.execution.arn,
    taskRoleArn: on.task.arn,
    containerDefinitions: container,
    volumes: [
      { name: "tmp" },
      ...(volume === undefined
        ? []
        : [
            {
              name: "data",
              efsVolumeConfiguration: {
                fileSystemId: volume.access.fileSystemId,
                transitEncryption: "ENABLED",
                authorizationConfig: { accessPointId: volume.access.id },
              },
            },
          ]),
    ],
  });
  const made = new aws.ecs.Service(name, {
    name: spec.name,
    cluster: on.cluster.arn,
    taskDefinition: definition.arn,
    desiredCount: spec.count,
    launchType: "FARGATE",
    // A server that keeps data on a disk stops before its next one starts; the app starts first.
    deploymentMinimumHealthyPercent: volume === undefined ? 100 : 0,
    deploymentMaximumPercent: volume === undefined ? 200 : 100,
    deploymentCircuitBreaker: { enable: true, rollback: true },
    networkConfiguration: { subnets: on.network.privateIds, securityGroups: spec.groups, assignPublicIp: false },
    ...(spec.target && {
      loadBalancers: [{ targetGroupArn: spec.target.arn, containerName: spec.name, containerPort: spec.port }],
    }),
    ...(spec.registry && { serviceRegistries: { registryArn: spec.registry.arn } }),
  });
  if (spec.max > spec.count) {
    const target = new aws.appautoscaling.Target(name, {
      serviceNamespace: "ecs",
      scalableDimension: "ecs:service:DesiredCount",
      resourceId: pulumi.interpolate`service/${on.cluster.name}/${made.name}`,
      minCapacity: spec.count,
      maxCapacity: spec.max,
    });
    new aws.appautoscaling.Policy(name, {
      policyType: "TargetTrackingScaling",
      serviceNamespace: target.serviceNamespace,
      scalableDimension: target.scalableDimension,
      resourceId: target.resourceId,
      targetTrackingScalingPolicyConfiguration: {
        predefinedMetricSpecification: { predefinedMetricType: "ECSServiceAverageCPUUtilization" },
        targetValue: 65,
        scaleInCooldown: 300,
        scaleOutCooldown: 30,
      },
    });
  }
  return made;
}
