package app_test

import (
	"regexp"
	"strings"
	"testing"
)

// cronJob is what Kubernetes reads of a CronJob, as far as the example writes it.
type cronJob struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	Spec       struct {
		Schedule                string
		ConcurrencyPolicy       string `yaml:"concurrencyPolicy"`
		StartingDeadlineSeconds int    `yaml:"startingDeadlineSeconds"`
		JobTemplate             struct {
			Spec struct {
				BackoffLimit          *int `yaml:"backoffLimit"`
				ActiveDeadlineSeconds int  `yaml:"activeDeadlineSeconds"`
				Template              struct{ Spec pod }
			}
		} `yaml:"jobTemplate"`
	}
}

type pod struct {
	RestartPolicy                string `yaml:"restartPolicy"`
	AutomountServiceAccountToken *bool  `yaml:"automountServiceAccountToken"`
	SecurityContext              struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		RunAsUser      int                   `yaml:"runAsUser"`
		FSGroup        int                   `yaml:"fsGroup"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	Containers []struct {
		Name, Image string
		Env         []struct{ Name, Value string }
		EnvFrom     []struct {
			SecretRef struct{ Name string } `yaml:"secretRef"`
		} `yaml:"envFrom"`
		TerminationMessagePolicy string `yaml:"terminationMessagePolicy"`
		SecurityContext          struct {
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
			Capabilities             struct{ Drop []string }
		} `yaml:"securityContext"`
		Resources    struct{ Requests, Limits map[string]string }
		VolumeMounts []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	Volumes []struct {
		Name                  string
		ConfigMap             struct{ Name string } `yaml:"configMap"`
		PersistentVolumeClaim struct {
			ClaimName string `yaml:"claimName"`
		} `yaml:"persistentVolumeClaim"`
	}
}

// volumeClaim is what it reads of a claim.
type volumeClaim struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	Spec       struct {
		AccessModes []string `yaml:"accessModes"`
		Resources   struct{ Requests map[string]string }
	}
}

// checkKubernetes checks a CronJob and the volume that keeps its memory: what mounts what, that
// two never run at once, and that the container has no more rights than it needs.
func checkKubernetes(t *testing.T, name, text string) {
	t.Helper()
	job, volume, two := strings.Cut(text, "\n---\n")
	if !two {
		t.Fatalf("%s: has no volume", name)
	}
	var c cronJob
	decodeStrict(t, name, job, &c)
	var claim volumeClaim
	decodeStrict(t, name, volume, &claim)
	spec := c.Spec.JobTemplate.Spec
	if c.APIVersion != "batch/v1" || c.Kind != "CronJob" || c.Spec.Schedule == "" || c.Spec.ConcurrencyPolicy != "Forbid" || spec.BackoffLimit == nil || *spec.BackoffLimit != 0 || spec.ActiveDeadlineSeconds == 0 {
		t.Errorf("%s: two runs may go on at once, or one without end: %+v", name, c.Spec)
	}
	p := spec.Template.Spec
	if len(p.Containers) != 1 || p.RestartPolicy != "Never" {
		t.Fatalf("%s: got %d containers, restarted %s", name, len(p.Containers), p.RestartPolicy)
	}
	run := p.Containers[0]
	if !p.SecurityContext.RunAsNonRoot || !run.SecurityContext.ReadOnlyRootFilesystem || run.SecurityContext.AllowPrivilegeEscalation == nil || *run.SecurityContext.AllowPrivilegeEscalation || p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken {
		t.Errorf("%s: the container has rights that it does not need", name)
	}
	if !regexp.MustCompile(`^ghcr\.io/.+/port-bitbucket-exporter:\d+\.\d+\.\d+$`).MatchString(run.Image) {
		t.Errorf("%s: image %q has no exact version", name, run.Image)
	}
	env := map[string]string{}
	for _, e := range run.Env {
		env[e.Name] = e.Value
	}
	checkEnvironment(t, name, env, secrets)
	if len(run.EnvFrom) != 1 || !strings.Contains(text, "kubectl create secret generic "+run.EnvFrom[0].SecretRef.Name+" ") {
		t.Errorf("%s: nothing makes the secret of %+v", name, run.EnvFrom)
	}
	for _, secret := range secrets {
		if !strings.Contains(text, " --from-literal="+secret+"=") {
			t.Errorf("%s: nothing puts %s into the secret", name, secret)
		}
	}
	mounts := map[string]string{} // of each volume
	for _, m := range run.VolumeMounts {
		mounts[m.Name] = m.MountPath + "/"
	}
	for _, v := range p.Volumes {
		switch at := mounts[v.Name]; {
		case at == "":
			t.Errorf("%s: the volume %s is mounted nowhere", name, v.Name)
		case v.ConfigMap.Name != "":
			if !strings.HasPrefix(env["MAPPING_FILE"], at) || !strings.Contains(text, "kubectl create configmap "+v.ConfigMap.Name+" --from-file="+strings.TrimPrefix(env["MAPPING_FILE"], at)+"\n") {
				t.Errorf("%s: nothing makes %s", name, env["MAPPING_FILE"])
			}
		case v.PersistentVolumeClaim.ClaimName != claim.Metadata.Name || claim.Kind != "PersistentVolumeClaim" || !strings.HasPrefix(env["STATE_DIR"], at):
			t.Errorf("%s: the memory in %q is not in the volume %+v at %s", name, env["STATE_DIR"], v, at)
		}
	}
	if len(p.Volumes) != 2 || len(mounts) != 2 {
		t.Errorf("%s: got volumes %+v, mounted %+v", name, p.Volumes, mounts)
	}
}
