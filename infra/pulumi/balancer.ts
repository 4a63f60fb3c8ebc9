import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Network } from "./network.ts";
import type { Settings } from "./settings.ts";

/** The one thing that the world may reach: TLS in, the ingress behind it. */
export function balancer({ name, certificateArn, production }: Settings, net: Network) {
  const load = new aws.lb.LoadBalancer(name, {
    name,
    loadBalancerType: "application",
    internal: false,
    subnets: net.publicIds,
    securityGroups: [net.edge.id],
    enableDeletionProtection: production,
    dropInvalidHeaderFields: true,
    idleTimeout: 120,
  });
  const target = new aws.lb.TargetGroup(name, {
    name,
    vpcId: net.vpc.id,
    targetType: "ip",
    protocol: "HTTP",
    port: 3000,
    deregistrationDelay: 30,
    healthCheck: {
      path: "/ready",
      matcher: "200",
      interval: 10,
      timeout: 5,
      healthyThreshold: 2,
      unhealthyThreshold: 3,
    },
  });
  new aws.lb.Listener(`${name}-https`, {
    loadBalancerArn: load.arn,
    protocol: "HTTPS",
    port: 443,
    sslPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06",
    certificateArn,
    defaultActions: [{ type: "forward", targetGroupArn: target.arn }],
  });
  new aws.lb.Listener(`${name}-http`, {
    loadBalancerArn: load.arn,
    protocol: "HTTP",
    port: 80,
    defaultActions: [{ type: "redirect", redirect: { protocol: "HTTPS", port: "443", statusCode: "HTTP_301" } }],
  });
  return { target, address: pulumi.interpolate`https://${load.dnsName}` };
}
