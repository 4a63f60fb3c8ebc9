// A Kubernetes control plane in one program, for tests: its own parts as subcommands, and "up", which runs them all.
// Nodes are played by kwok: pods become Running and go away, containers do not run.
package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func main() {
	if len(os.Args) < 2 {
		log.Fatal("expected etcd, kube-apiserver, kube-controller-manager, kube-scheduler or up")
	}
	part := os.Args[1]
	os.Args = append([]string{part}, os.Args[2:]...)
	switch part {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllers.NewControllerManagerCommand()))
	case "kube-scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	case "up":
		up()
	default:
		log.Fatalf("unknown part %q", part)
	}
}

const token = "troupe-test"

// up starts every part, each once the one it needs answers, and ends with the first that ends.
func up() {
	dir := flag.String("dir", "", "where data, keys and the kubeconfig are")
	port := flag.Int("port", 0, "of the API server")
	etcd := flag.Int("etcd", 0, "of etcd")
	peer := flag.Int("peer", 0, "of etcd, for other members")
	kwok := flag.String("kwok", "", "the program that plays the nodes")
	flag.Parse()
	self, err := os.Executable()
	must(err)

	ended := make(chan string, 8)
	var parts []*exec.Cmd
	start := func(command string, args ...string) {
		part := exec.Command(command, args...)
		part.Stdout, part.Stderr = os.Stdout, os.Stderr
		must(part.Start())
		parts = append(parts, part)
		go func() {
			_ = part.Wait()
			ended <- fmt.Sprint(command, " ", args[0])
		}()
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)

	key := filepath.Join(*dir, "account.key")
	public := filepath.Join(*dir, "account.pub")
	makeKey(key, public)
	write(filepath.Join(*dir, "tokens.csv"), token+",admin,admin,\"system:masters\"\n")
	certificates := filepath.Join(*dir, "certificates")
	config := filepath.Join(*dir, "kubeconfig")
	server := fmt.Sprintf("https://127.0.0.1:%d", *port)
	write(config, fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"test",
"clusters":[{"name":"test","cluster":{"server":%q,"certificate-authority":%q}}],
"users":[{"name":"test","user":{"token":%q}}],
"contexts":[{"name":"test","context":{"cluster":"test","user":"test"}}]}
`, server, filepath.Join(certificates, "apiserver.crt"), token))

	store := fmt.Sprintf("http://127.0.0.1:%d", *etcd)
	start(self, "etcd", "--data-dir", filepath.Join(*dir, "etcd"), "--listen-client-urls", store, "--advertise-client-urls", store,
		"--listen-peer-urls", fmt.Sprintf("http://127.0.0.1:%d", *peer), "--unsafe-no-fsync", "--log-level", "warn")
	start(self, "kube-apiserver", "--etcd-servers", store, "--secure-port", fmt.Sprint(*port), "--bind-address", "127.0.0.1",
		"--cert-dir", certificates, "--service-account-key-file", public, "--service-account-signing-key-file", key,
		"--service-account-issuer", "https://kubernetes.default.svc", "--token-auth-file", filepath.Join(*dir, "tokens.csv"),
		"--authorization-mode", "RBAC,Node", "--service-cluster-ip-range", "10.96.0.0/16", "--allow-privileged")
	// Controllers give up on a server that does not answer: they begin when it does.
	for !answers(server+"/readyz") && len(ended) == 0 && len(stop) == 0 {
		time.Sleep(100 * time.Millisecond)
	}
	if len(ended) == 0 && len(stop) == 0 {
		start(self, "kube-controller-manager", "--kubeconfig", config, "--service-account-private-key-file", key, "--leader-elect=false", "--secure-port", "0")
		start(self, "kube-scheduler", "--kubeconfig", config, "--leader-elect=false", "--secure-port", "0")
		start(*kwok, "--kubeconfig", config, "--manage-all-nodes")
	}

	code := 0
	select {
	case <-stop:
	case who := <-ended:
		log.Printf("%s has ended, and with it the rest", who)
		code = 1
	}
	for at := len(parts) - 1; at >= 0; at-- {
		_ = parts[at].Process.Kill()
	}
	os.Exit(code)
}

func answers(url string) bool {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	request, err := http.NewRequest(http.MethodGet, url, nil)
	must(err)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode == http.StatusOK
}

// makeKey makes what service accounts are signed with, once per folder.
func makeKey(private, public string) {
	if _, err := os.Stat(public); err == nil {
		return
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	must(err)
	write(private, string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
	write(public, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
}

func write(path, text string) {
	must(os.WriteFile(path, []byte(text), 0o600))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
