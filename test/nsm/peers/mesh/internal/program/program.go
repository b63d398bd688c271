// SPDX-License-Identifier: Apache-2.0

// Package program is what all programs of the mesh share: configuration from the environment, a log, an identity from
// the SPIFFE Workload API, and gRPC by mutual TLS with tokens and descriptors.
package program

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/edwarnicke/grpcfd"
	"github.com/kelseyhightower/envconfig"
	"github.com/networkservicemesh/sdk/pkg/tools/grpcutils"
	"github.com/networkservicemesh/sdk/pkg/tools/log"
	"github.com/networkservicemesh/sdk/pkg/tools/log/logruslogger"
	"github.com/networkservicemesh/sdk/pkg/tools/spiffejwt"
	"github.com/networkservicemesh/sdk/pkg/tools/token"
	"github.com/networkservicemesh/sdk/pkg/tools/tracing"
	"github.com/sirupsen/logrus"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// Policies of the sdk for registrations, which its chains leave out unless they are named.
var (
	RegistryServerPolicies = policies("server")
	RegistryClientPolicies = policies("client")
)

func policies(side string) []string {
	const folder = "etc/nsm/opa"
	return []string{folder + "/common/.*.rego", folder + "/registry/.*.rego", folder + "/" + side + "/.*.rego"}
}

// Settings are those that every program has.
type Settings struct {
	LogLevel         string        `default:"INFO" split_words:"true"`
	MaxTokenLifetime time.Duration `default:"10m" split_words:"true"`
}

// Program runs until a signal ends it.
type Program struct {
	context.Context
	// Signalled ends with the first signal, before the context does: a client still has connections to close.
	Signalled context.Context
	Tokens    token.GeneratorFunc

	started time.Time
	source  *workloadapi.X509Source
}

// Start reads NSM_* into all of the settings, of which common is a part, and waits for an identity.
func Start(all any, common *Settings) (*Program, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Program{started: time.Now()}
	p.Context = log.WithLog(ctx, logruslogger.New(ctx, logrus.Fields{"cmd": filepath.Base(os.Args[0])}))
	p.Signalled, _ = signal.NotifyContext(p.Context, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	p.Need(envconfig.Process("nsm", all))
	level, err := logrus.ParseLevel(common.LogLevel)
	p.Need(err)
	logrus.SetLevel(level)
	log.EnableTracing(true)

	p.source, err = workloadapi.NewX509Source(p.Signalled)
	p.Need(err)
	svid, err := p.source.GetX509SVID()
	p.Need(err)
	p.Log().Infof("SVID: %q", svid.ID)
	p.Tokens = spiffejwt.TokenGeneratorFunc(p.source, common.MaxTokenLifetime)
	return p, cancel
}

// Log is where the sdk's chains write too.
func (p *Program) Log() log.Logger { return log.FromContext(p) }

// Need ends the program unless the error is nil.
func (p *Program) Need(err error) {
	if err != nil {
		p.Log().Fatalf("%+v", err)
	}
}

// Started is how long the program took so far.
func (p *Program) Started() string { return fmt.Sprint(time.Since(p.started)) }

// ServerCredentials are mutual TLS with any member of the trust domain; policies decide on the rest.
func (p *Program) ServerCredentials() credentials.TransportCredentials {
	config := tlsconfig.MTLSServerConfig(p.source, p.source, tlsconfig.AuthorizeAny())
	config.MinVersion = tls.VersionTLS12
	return credentials.NewTLS(config)
}

// Server is one that its caller has yet to register services at.
func (p *Program) Server(creds credentials.TransportCredentials) *grpc.Server {
	return grpc.NewServer(append(tracing.WithTracing(), grpc.Creds(creds))...)
}

// Serve listens at the URL; the program ends where it cannot.
func (p *Program) Serve(server *grpc.Server, at *url.URL) {
	failed := grpcutils.ListenAndServe(p.Context, at, server)
	select {
	case err := <-failed:
		p.Need(err)
	default:
		go func() { p.Need(<-failed) }()
	}
}

// DialOptions authenticate by mutual TLS and a token, and pass descriptors.
func (p *Program) DialOptions(calls ...grpc.CallOption) []grpc.DialOption {
	config := tlsconfig.MTLSClientConfig(p.source, p.source, tlsconfig.AuthorizeAny())
	config.MinVersion = tls.VersionTLS12
	return append(tracing.WithTracingDial(),
		grpc.WithTransportCredentials(grpcfd.TransportCredentials(credentials.NewTLS(config))),
		grpc.WithDefaultCallOptions(append(calls, grpc.PerRPCCredentials(token.NewPerRPCCredentials(p.Tokens)))...),
		grpcfd.WithChainStreamInterceptor(),
		grpcfd.WithChainUnaryInterceptor(),
	)
}
