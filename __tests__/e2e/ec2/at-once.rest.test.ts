import '../../support/suite/rest.ts';
import './at-once.test.ts';
