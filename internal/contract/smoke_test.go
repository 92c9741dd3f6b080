package contract
import "testing"
func TestSmoke(t *testing.T){ c,ok,err:=FromEnv(); t.Log(c!=nil,ok,err); if err!=nil {t.Fatal(err)} }
