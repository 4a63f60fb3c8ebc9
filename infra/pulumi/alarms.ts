import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

interface Watched {
  readonly name: string;
  readonly cluster: aws.ecs.Cluster;
  readonly target: aws.lb.TargetGroup;
  readonly databaseId: pulumi.Output<string>;
  readonly roles: readonly string[];
}

/** What wakes somebody, as far as AWS sees it; the alerts of infra/observability see the rest. */
export function alarms({ name, cluster, target, databaseId, roles }: Watched): void {
  const topic = new aws.sns.Topic(name, { name: `${name}-alarms`, kmsMasterKeyId: "alias/aws/sns" });
  const alarm = (
    what: string,
    rest: Omit<aws.cloudwatch.MetricAlarmArgs, "evaluationPeriods" | "alarmActions">,
  ): void =>
    void new aws.cloudwatch.MetricAlarm(`${name}-${what}`, {
      period: 60,
      evaluationPeriods: 5,
      alarmActions: [topic.arn],
      ...rest,
    });
  for (const role of roles)
    alarm(`${role}-busy`, {
      comparisonOperator: "GreaterThanThreshold",
      namespace: "AWS/ECS",
      metricName: "CPUUtilization",
      statistic: "Average",
      threshold: 90,
      dimensions: { ClusterName: cluster.name, ServiceName: role },
    });
  alarm("unhealthy", {
    comparisonOperator: "LessThanThreshold",
    namespace: "AWS/ApplicationELB",
    metricName: "HealthyHostCount",
    statistic: "Minimum",
    threshold: 1,
    treatMissingData: "breaching",
    dimensions: { TargetGroup: target.arnSuffix },
  });
  alarm("database-disk", {
    comparisonOperator: "LessThanThreshold",
    namespace: "AWS/RDS",
    metricName: "FreeStorageSpace",
    statistic: "Minimum",
    threshold: 10e9,
    dimensions: { DBInstanceIdentifier: databaseId },
  });
}
