/** EC2 instances that a host can reach, and what its role needs for that. */
import type { PolicyDocument } from './aws/local-aws.ts';
import { ACCOUNT, allow, REGION, type ReadyWorld } from './aws/world.ts';
import { startEc2Instance, type Ec2Instance, type Ec2InstanceOptions } from './ec2-instance.ts';

/** The permissions of a role for all connection methods. */
export const reachHosts: readonly PolicyDocument[] = [
  allow(['ec2:DescribeInstances', 'ec2:DescribeInstanceConnectEndpoints'], '*'),
  allow(['ec2-instance-connect:SendSSHPublicKey', 'ec2-instance-connect:OpenTunnel'], '*'),
  allow(
    ['ssm:StartSession', 'ssm:ResumeSession', 'ssm:TerminateSession', 'ssmmessages:OpenDataChannel'],
    '*',
  ),
];

/** An instance with its sshd and a connected Session Manager agent. */
export async function launch({ aws }: ReadyWorld, options: Ec2InstanceOptions = {}): Promise<Ec2Instance> {
  const instance = await startEc2Instance(aws, options);
  const { instanceId, ports } = instance;
  aws.sessions.connectAgent({ account: ACCOUNT, region: REGION, instanceId, ports });
  return instance;
}
