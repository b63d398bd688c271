// SPDX-License-Identifier: Apache-2.0

// The sdk's endpoint with a kernel interface in its own namespace and addresses from a pool. The kernel answers pings.
package main

import (
	"net/url"
	"os"
	"path/filepath"

	"github.com/edwarnicke/grpcfd"
	"github.com/networkservicemesh/api/pkg/api/networkservice"
	kernelmech "github.com/networkservicemesh/api/pkg/api/networkservice/mechanisms/kernel"
	"github.com/networkservicemesh/sdk/pkg/networkservice/chains/endpoint"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/authorize"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/mechanisms"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/mechanisms/kernel"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/mechanisms/sendfd"
	"github.com/networkservicemesh/sdk/pkg/networkservice/connectioncontext/dnscontext"
	"github.com/networkservicemesh/sdk/pkg/networkservice/ipam/groupipam"
	"github.com/networkservicemesh/sdk/pkg/tools/cidr"

	"crosswire.test/nsm-peers/internal/program"
	"crosswire.test/nsm-peers/internal/registration"
)

type settings struct {
	program.Settings
	Name            string      `required:"true"`
	ConnectTo       url.URL     `required:"true" split_words:"true"`
	ServiceNames    []string    `required:"true" split_words:"true"`
	Payload         string      `default:"ETHERNET"`
	CidrPrefix      cidr.Groups `required:"true" split_words:"true"`
	RegisterService bool        `default:"true" split_words:"true"`
}

func main() {
	var s settings
	p, end := program.Start(&s, &s.Settings)
	defer end()

	server := p.Server(grpcfd.TransportCredentials(p.ServerCredentials()))
	endpoint.NewServer(p, p.Tokens,
		endpoint.WithName(s.Name),
		endpoint.WithAuthorizeServer(authorize.NewServer()),
		endpoint.WithAdditionalFunctionality(
			groupipam.NewServer(s.CidrPrefix),
			mechanisms.NewServer(map[string]networkservice.NetworkServiceServer{kernelmech.MECHANISM: kernel.NewServer()}),
			dnscontext.NewServer(),
			sendfd.NewServer(),
		),
	).Register(server)
	folder, err := os.MkdirTemp("", s.Name)
	p.Need(err)
	defer func() { _ = os.RemoveAll(folder) }()
	listenOn := &url.URL{Scheme: "unix", Path: filepath.Join(folder, "listen.on")}
	p.Serve(server, listenOn)

	registration.Register(p, &s.ConnectTo, &registration.Endpoint{
		Name: s.Name, URL: listenOn, Services: s.ServiceNames, Payload: s.Payload, WithServices: s.RegisterService,
	})
	p.Log().Infof("startup completed in %s", p.Started())
	<-p.Signalled.Done()
}
