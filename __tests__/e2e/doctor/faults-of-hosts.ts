/** Faults of EC2 hosts, for doctor to find. */
import { allow, REGION } from '../../support/aws/world.ts';
import { instanceId, permitPrinted, target, type Fault } from './stage.ts';

type WithoutName<F> = F extends Fault ? Omit<F, 'fault' | 'check' | 'args'> : never;
const host = (fault: string, check: string, more: WithoutName<Fault>): Fault => ({
  ...{ fault, check: `${check} ${instanceId}`, args: () => ['--host', target] },
  ...more,
});

export const faultsOfHosts: readonly Fault[] = [
  host('the instance is stopped', 'instance', {
    ...{ status: 'fail', detail: /TARGET_NOT_FOUND: .*is stopped/ },
    break: (stage) => {
      stage.world.aws.ec2.setState(instanceId, 'stopped');
      stage.keepCalls('aws');
    },
    behind: 'start it: ',
    effect: (stage) => {
      if (stage.calls('aws') === `ec2 start-instances --region ${REGION} --instance-ids ${instanceId}`)
        stage.world.aws.ec2.setState(instanceId, 'running');
    },
  }),
  host('looking up instances is denied', 'instance', {
    ...{ status: 'fail', detail: /TARGET_NOT_FOUND: .*denied/ },
    break: (stage) => {
      stage.permit([], [allow('ssm:DescribeInstanceInformation', '*')]);
    },
    advice: /add to the role's policy: \{/,
    repair: permitPrinted,
  }),
  host('the agent of the instance never connected', 'session manager', {
    ...{ status: 'fail', detail: /does not know/ },
    break: ({ world }) => {
      world.aws.sessions.disconnectAgent(instanceId);
    },
    advice: /start amazon-ssm-agent on it/,
    repair: (stage) => {
      stage.connect();
    },
  }),
  host('the agent of the instance is lost', 'session manager', {
    ...{ status: 'fail', detail: /is ConnectionLost/ },
    break: (stage) => {
      stage.connect({ ping: 'ConnectionLost' });
    },
    advice: /restart amazon-ssm-agent on the host/,
    repair: (stage) => {
      stage.connect();
    },
  }),
  host('the agent of the instance is old', 'session manager', {
    ...{ status: 'warn', detail: /2\.2\.1\.0 is Online: .*2\.3\.672\.0/ },
    break: (stage) => {
      stage.connect({ version: '2.2.1.0' });
      stage.keepCalls('aws');
    },
    effect: (stage) => {
      const update = `ssm send-command --document-name AWS-UpdateSSMAgent --instance-ids ${instanceId}`;
      if (stage.calls('aws') === update) stage.connect();
    },
  }),
  host('the user is that of another platform', 'user', {
    ...{ status: 'warn', detail: /images of Ubuntu have the user ubuntu, and not ec2-user/ },
    break: (stage) => {
      stage.connect({ platform: 'Ubuntu' });
    },
    advice: /write ubuntu@HOST/,
    // The platform is the one that the user was for.
    repair: (stage) => {
      stage.connect();
    },
    skipped: 'whether a user is there cannot be told without a login',
  }),
];
