// SPDX-License-Identifier: Apache-2.0

// The sdk's client with kernel interfaces, which heals what dies and checks its data plane by pings.
package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/networkservicemesh/api/pkg/api/networkservice"
	kernelmech "github.com/networkservicemesh/api/pkg/api/networkservice/mechanisms/kernel"
	kernelheal "github.com/networkservicemesh/sdk-kernel/pkg/kernel/tools/heal"
	"github.com/networkservicemesh/sdk/pkg/networkservice/chains/client"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/authorize"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/clientinfo"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/excludedprefixes"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/heal"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/mechanisms"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/mechanisms/kernel"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/mechanisms/sendfd"
	"github.com/networkservicemesh/sdk/pkg/networkservice/common/upstreamrefresh"
	"github.com/networkservicemesh/sdk/pkg/tools/grpcutils"
	"github.com/networkservicemesh/sdk/pkg/tools/nsurl"
	"google.golang.org/grpc"

	"crosswire.test/nsm-peers/internal/program"
)

type settings struct {
	program.Settings
	Name                  string        `required:"true"`
	ConnectTo             url.URL       `required:"true" split_words:"true"`
	NetworkServices       []url.URL     `required:"true" split_words:"true"`
	DialTimeout           time.Duration `default:"5s" split_words:"true"`
	RequestTimeout        time.Duration `default:"15s" split_words:"true"`
	LivenessCheckInterval time.Duration `default:"200ms" split_words:"true"`
	LivenessCheckTimeout  time.Duration `default:"1s" split_words:"true"`
}

func main() {
	var s settings
	p, end := program.Start(&s, &s.Settings)
	defer end()

	options := p.DialOptions(grpc.WaitForReady(true))
	nsm := client.NewClient(p,
		client.WithClientURL(&s.ConnectTo),
		client.WithName(s.Name),
		client.WithDialTimeout(s.DialTimeout),
		client.WithDialOptions(options...),
		client.WithAuthorizeClient(authorize.NewClient()),
		client.WithHealClient(heal.NewClient(p,
			heal.WithLivenessCheck(kernelheal.KernelLivenessCheck),
			heal.WithLivenessCheckInterval(s.LivenessCheckInterval),
			heal.WithLivenessCheckTimeout(s.LivenessCheckTimeout),
		)),
		client.WithAdditionalFunctionality(
			clientinfo.NewClient(),
			upstreamrefresh.NewClient(p),
			mechanisms.NewClient(map[string]networkservice.NetworkServiceClient{kernelmech.MECHANISM: kernel.NewClient()}),
			sendfd.NewClient(),
			excludedprefixes.NewClient(),
		),
	)
	manager, err := grpc.DialContext(p, grpcutils.URLToTarget(&s.ConnectTo), options...)
	p.Need(err)
	monitor := networkservice.NewMonitorConnectionClient(manager)

	for i := range s.NetworkServices {
		id, service := fmt.Sprintf("%s-%d", s.Name, i), (*nsurl.NSURL)(&s.NetworkServices[i])
		for p.Signalled.Err() == nil {
			ctx, cancel := context.WithTimeout(p, s.RequestTimeout)
			conn, err := nsm.Request(ctx, &networkservice.NetworkServiceRequest{
				Connection:           wanted(ctx, p, &s, monitor, id, service),
				MechanismPreferences: []*networkservice.Mechanism{service.Mechanism()},
			})
			cancel()
			if err == nil {
				p.Log().Infof("successfully connected to %s: %v", conn.GetNetworkService(), conn)
				defer closeAtEnd(p, nsm, conn, s.RequestTimeout)
				break
			}
			p.Log().Errorf("not connected to %s: %v", service.NetworkService(), err)
		}
	}
	<-p.Signalled.Done()
}

func closeAtEnd(p *program.Program, nsm networkservice.NetworkServiceClient, conn *networkservice.Connection, limit time.Duration) {
	ctx, cancel := context.WithTimeout(p, limit)
	defer cancel()
	if _, err := nsm.Close(ctx, conn); err != nil {
		p.Log().Errorf("not closed: %v", err)
	}
}

// The connection that an earlier process of the same name left at the manager, else a new one. Where it is down and
// its endpoint answers no ping, with another endpoint.
func wanted(
	ctx context.Context, p *program.Program, s *settings,
	monitor networkservice.MonitorConnectionClient, id string, service *nsurl.NSURL,
) *networkservice.Connection {
	for _, conn := range known(ctx, p, monitor, id) {
		path := conn.GetPath()
		if path.GetIndex() != 1 || path.GetPathSegments()[0].GetId() != id ||
			conn.GetMechanism().GetType() != service.Mechanism().GetType() {
			continue
		}
		conn.Id, conn.Path.Index = id, 0
		if conn.GetState() == networkservice.State_DOWN && !answers(ctx, conn, s.LivenessCheckTimeout) {
			p.Log().Infof("%s is unavailable: any other will do", conn.GetNetworkServiceEndpointName())
			conn.State, conn.NetworkServiceEndpointName = networkservice.State_RESELECT_REQUESTED, ""
			conn.Mechanism = nil
		}
		return conn
	}
	return &networkservice.Connection{Id: id, NetworkService: service.NetworkService(), Labels: service.Labels()}
}

func known(ctx context.Context, p *program.Program, monitor networkservice.MonitorConnectionClient, id string) map[string]*networkservice.Connection {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := monitor.MonitorConnections(ctx, &networkservice.MonitorScopeSelector{
		PathSegments: []*networkservice.PathSegment{{Id: id}},
	})
	if err == nil {
		var first *networkservice.ConnectionEvent // all that there are
		if first, err = stream.Recv(); err == nil {
			return first.GetConnections()
		}
	}
	p.Log().Errorf("no answer about earlier connections: %v", err)
	return nil
}

func answers(ctx context.Context, conn *networkservice.Connection, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return kernelheal.KernelLivenessCheck(ctx, conn)
}
