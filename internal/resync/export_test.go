package resync

import "port-bitbucket-exporter/internal/kind"

// Replace lets a resource of the plan give other objects than its kind does.
func (p *Plan) Replace(resource int, extract kind.Extract) {
	p.resources[resource].bound.Extract = extract
}
