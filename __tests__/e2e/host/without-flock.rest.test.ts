import '../../support/suite/rest.ts';
import './without-flock.test.ts';
