/** Faults of EC2 hosts, for doctor to find. */
import { instanceId, target, type Fault } from './stage.ts';

const host = (
  fault: string,
  check: string,
  more: Omit<Fault, 'fault' | 'check' | 'args'> & Partial<Fault>,
): Fault => ({
  ...{ fault, check: `${check} ${instanceId}`, args: () => ['--host', target] },
  ...more,
});

export const faultsOfHosts: readonly Fault[] = [
  host('the instance is stopped', 'instance', {
    ...{ status: 'fail', detail: /TARGET_NOT_FOUND: .*is stopped/ },
    break: ({ world }) => {
      world.aws.ec2.setState(instanceId, 'stopped');
    },
    repair: ({ world }) => {
      world.aws.ec2.setState(instanceId, 'running');
    },
  }),
  host('looking up instances is denied', 'instance', {
    ...{ status: 'fail', detail: /TARGET_NOT_FOUND: .*denied/ },
    break: (stage) => {
      stage.permit([], []);
    },
    repair: (stage) => {
      stage.permit();
    },
  }),
  host('the agent of the instance never connected', 'session manager', {
    ...{ status: 'fail', detail: /does not know/ },
    break: ({ world }) => {
      world.aws.sessions.disconnectAgent(instanceId);
    },
    repair: (stage) => {
      stage.connect();
    },
  }),
  host('the agent of the instance is lost', 'session manager', {
    ...{ status: 'fail', detail: /is ConnectionLost/ },
    break: (stage) => {
      stage.connect({ ping: 'ConnectionLost' });
    },
    repair: (stage) => {
      stage.connect();
    },
  }),
  host('the agent of the instance is old', 'session manager', {
    ...{ status: 'warn', detail: /2\.2\.1\.0 is Online: .*2\.3\.672\.0/ },
    break: (stage) => {
      stage.connect({ version: '2.2.1.0' });
    },
    repair: (stage) => {
      stage.connect();
    },
  }),
  host('the user is that of another platform', 'user', {
    ...{ status: 'warn', detail: /images of Ubuntu have the user ubuntu, and not ec2-user/ },
    break: (stage) => {
      stage.connect({ platform: 'Ubuntu' });
    },
    // The platform is the one that the user was for.
    repair: (stage) => {
      stage.connect();
    },
    after: { status: 'skip' },
  }),
];
