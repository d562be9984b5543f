import '../../support/suite/rest.ts';
import './storage.test.ts';
