import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

/** The network: public subnets hold the load balancer and the way out, private ones everything else. */
export interface Network {
  readonly vpc: aws.ec2.Vpc;
  readonly publicIds: pulumi.Output<string>[];
  readonly privateIds: pulumi.Output<string>[];
  /** Of the load balancer: the only one that the world may reach. */
  readonly edge: aws.ec2.SecurityGroup;
  /** Of the app. */
  readonly app: aws.ec2.SecurityGroup;
  /** Of a server that only the app may reach, at these ports. */
  serverGroup(server: string, ports: readonly number[]): aws.ec2.SecurityGroup;
}

const ANYWHERE = "0.0.0.0/0";

export function network(name: string, zones: readonly string[]): Network {
  const tags = (part: string) => ({ Name: `${name}-${part}` });
  const vpc = new aws.ec2.Vpc(name, {
    cidrBlock: "10.20.0.0/16",
    enableDnsHostnames: true,
    enableDnsSupport: true,
    tags: tags("vpc"),
  });
  const gateway = new aws.ec2.InternetGateway(name, { vpcId: vpc.id, tags: tags("internet") });
  const outward = new aws.ec2.RouteTable(`${name}-public`, {
    vpcId: vpc.id,
    routes: [{ cidrBlock: ANYWHERE, gatewayId: gateway.id }],
  });
  const subnets = zones.map((availabilityZone, i) => {
    const open = new aws.ec2.Subnet(`${name}-public-${i}`, {
      vpcId: vpc.id,
      cidrBlock: `10.20.${i}.0/24`,
      availabilityZone,
      mapPublicIpOnLaunch: false,
    });
    new aws.ec2.RouteTableAssociation(`${name}-public-${i}`, { subnetId: open.id, routeTableId: outward.id });
    // A way out in each zone: the loss of one stops nothing in another.
    const address = new aws.ec2.Eip(`${name}-nat-${i}`, { domain: "vpc" });
    const nat = new aws.ec2.NatGateway(`${name}-${i}`, { subnetId: open.id, allocationId: address.id });
    const closed = new aws.ec2.Subnet(`${name}-private-${i}`, {
      vpcId: vpc.id,
      cidrBlock: `10.20.${100 + i}.0/24`,
      availabilityZone,
    });
    const routes = new aws.ec2.RouteTable(`${name}-private-${i}`, {
      vpcId: vpc.id,
      routes: [{ cidrBlock: ANYWHERE, natGatewayId: nat.id }],
    });
    new aws.ec2.RouteTableAssociation(`${name}-private-${i}`, { subnetId: closed.id, routeTableId: routes.id });
    return { open, closed };
  });
  const egress = [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: [ANYWHERE] }];
  const edge = new aws.ec2.SecurityGroup(`${name}-edge`, {
    vpcId: vpc.id,
    description: "The load balancer",
    ingress: [443, 80].map((port) => ({ protocol: "tcp", fromPort: port, toPort: port, cidrBlocks: [ANYWHERE] })),
    egress,
  });
  const app = new aws.ec2.SecurityGroup(`${name}-app`, {
    vpcId: vpc.id,
    description: "The app: reached by the load balancer, and by itself for scrapes",
    ingress: [{ protocol: "tcp", fromPort: 3000, toPort: 3000, securityGroups: [edge.id], self: true }],
    egress,
  });
  return {
    vpc,
    publicIds: subnets.map(({ open }) => open.id),
    privateIds: subnets.map(({ closed }) => closed.id),
    edge,
    app,
    serverGroup: (server, ports) =>
      new aws.ec2.SecurityGroup(`${name}-${server}`, {
        vpcId: vpc.id,
        description: `${server}: reached by the app alone`,
        ingress: ports.map((port) => ({ protocol: "tcp", fromPort: port, toPort: port, securityGroups: [app.id] })),
        egress,
      }),
  };
}
