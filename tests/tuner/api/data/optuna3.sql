-- written by Optuna 3.6.1
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'old');
INSERT INTO "studies" VALUES(2,'two');
INSERT INTO "studies" VALUES(3,'empty');
INSERT INTO "studies" VALUES(4,'a/b');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MINIMIZE',1,0);
INSERT INTO "study_directions" VALUES(2,'MINIMIZE',2,0);
INSERT INTO "study_directions" VALUES(3,'MAXIMIZE',2,1);
INSERT INTO "study_directions" VALUES(4,'MINIMIZE',3,0);
INSERT INTO "study_directions" VALUES(5,'MINIMIZE',4,0);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_intermediate_values" VALUES(1,1,0,3.01567667719550591698e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(2,1,1,1.51567667719550613902e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(3,1,2,1.01567667719550613902e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(4,2,0,3.00495015955373334648e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(5,2,1,1.50495015955373312444e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(6,2,2,1.00495015955373312444e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(7,5,0,4.0001204685241207315e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(8,5,1,2.00012046852412028741e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(9,6,0,4.82124619222568639997e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(10,6,1,2.82124619222568639997e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(11,6,2,2.15457952555901943725e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(12,7,0,3.00029723346443377707e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(13,7,1,1.50029723346443355502e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(14,8,0,2.0122290659470345453e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(15,8,1,1.01222906594703432325e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(16,8,2,0.678895732613701,'FINITE');
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,1,'lr',1.56766771955060696397e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(2,1,'layers',3.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(3,1,'act',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(4,2,'lr',4.95015955373319209431e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(5,2,'layers',3.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(6,2,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(7,3,'lr',7.15568216175486271346e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(8,3,'layers',2.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(9,3,'act',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(10,4,'lr',1.87145006862406738934e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(11,4,'layers',4.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(12,4,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(13,5,'lr',1.20468524120303282424e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(14,5,'layers',4.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(15,5,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(16,6,'lr',8.21246192225686399979e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(17,6,'layers',4.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(18,6,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(19,7,'lr',2.97233464433565707386e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(20,7,'layers',3.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(21,7,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(22,8,'lr',1.22290659470343614223e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(23,8,'layers',2.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 4}}');
INSERT INTO "trial_params" VALUES(24,8,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", "tanh"]}}');
INSERT INTO "trial_params" VALUES(25,10,'x',2.65560604432665603447e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(26,12,'x',8.78069404321361601795e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_system_attributes" VALUES(1,10,'nsga2:generation','0');
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,1,0,1.01567667719550613902e+00,'FINITE');
INSERT INTO "trial_values" VALUES(2,2,0,1.00495015955373312444e+00,'FINITE');
INSERT INTO "trial_values" VALUES(3,4,0,NULL,'INF_POS');
INSERT INTO "trial_values" VALUES(4,5,0,2.00012046852412028741e+00,'FINITE');
INSERT INTO "trial_values" VALUES(5,6,0,2.15457952555901943725e+00,'FINITE');
INSERT INTO "trial_values" VALUES(6,7,0,1.50029723346443355502e+00,'FINITE');
INSERT INTO "trial_values" VALUES(7,8,0,0.678895732613701,'FINITE');
INSERT INTO "trial_values" VALUES(8,10,0,2.65560604432665603447e-01,'FINITE');
INSERT INTO "trial_values" VALUES(9,10,1,1.0,'FINITE');
INSERT INTO "trial_values" VALUES(10,12,0,8.78069404321361601795e-01,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-25 02:03:38.291607','2026-11-25 02:03:38.653031');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-11-25 02:03:38.763415','2026-11-25 02:03:39.106271');
INSERT INTO "trials" VALUES(3,2,1,'FAIL','2026-11-25 02:03:39.165861','2026-11-25 02:03:39.305459');
INSERT INTO "trials" VALUES(4,3,1,'COMPLETE','2026-11-25 02:03:39.346804','2026-11-25 02:03:39.523739');
INSERT INTO "trials" VALUES(5,4,1,'PRUNED','2026-11-25 02:03:39.580520','2026-11-25 02:03:39.810605');
INSERT INTO "trials" VALUES(6,5,1,'COMPLETE','2026-11-25 02:03:39.865169','2026-11-25 02:03:40.158881');
INSERT INTO "trials" VALUES(7,6,1,'PRUNED','2026-11-25 02:03:40.209938','2026-11-25 02:03:40.433317');
INSERT INTO "trials" VALUES(8,7,1,'COMPLETE','2026-11-25 02:03:40.489884','2026-11-25 02:03:40.758954');
INSERT INTO "trials" VALUES(9,8,1,'RUNNING','2026-11-25 02:03:40.808222',NULL);
INSERT INTO "trials" VALUES(10,0,2,'COMPLETE','2026-11-25 02:03:40.916622','2026-11-25 02:03:41.021668');
INSERT INTO "trials" VALUES(11,0,3,'RUNNING','2026-11-25 02:03:41.168175',NULL);
INSERT INTO "trials" VALUES(12,0,4,'COMPLETE','2026-11-25 02:03:41.437946','2026-11-25 02:03:41.536735');
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'3.6.1');
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
COMMIT;
