// The smallest service worth scaling: it says who it is. Static, without dependencies, for an image FROM scratch.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

type answer struct {
	Hostname string `json:"hostname"`
	Greeting string `json:"greeting"`
	Path     string `json:"path"`
	Method   string `json:"method"`
}

func main() {
	command := "serve"
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	switch command {
	case "serve":
		serve()
	case "crash":
		log.Fatal("crash: as asked")
	case "exit":
		os.Exit(0)
	default:
		log.Fatalf("unknown command %q: expected serve, crash or exit", command)
	}
}

func serve() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	hostname, _ := os.Hostname()
	greeting := os.Getenv("GREETING")
	dieWhenAsked(os.Getenv("DIE_AFTER"))
	talk(os.Getenv("TALK"))
	fails := failing(os.Getenv("FAIL_EVERY"))

	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-type", "application/json")
		_, _ = w.Write([]byte(`{"status":"ok"}` + "\n"))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("content-type", "application/json")
		if fails() {
			http.Error(w, `{"error":"as asked"}`, http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(answer{hostname, greeting, r.URL.Path, r.Method})
	})
	server := &http.Server{Addr: ":" + port, Handler: mux, ReadHeaderTimeout: 5 * time.Second}

	stopped, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() {
		<-stopped.Done()
		// What is under way may finish; nothing new is taken.
		deadline, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(deadline)
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}

// dieWhenAsked ends the process with an error after so long (DIE_AFTER=5s): a revision that looks good at first.
func dieWhenAsked(after string) {
	if after == "" {
		return
	}
	wait, err := time.ParseDuration(after)
	if err != nil {
		log.Fatalf("DIE_AFTER: %v", err)
	}
	time.AfterFunc(wait, func() { log.Fatal("die: as asked") })
}

// talk writes so many lines a second (TALK=300), in ten writes: what a busy service logs.
func talk(lines string) {
	if lines == "" {
		return
	}
	perSecond, err := strconv.ParseUint(lines, 10, 16)
	if err != nil {
		log.Fatalf("TALK: %v", err)
	}
	go func() {
		var n uint64
		for tick := uint64(1); ; tick++ {
			var text strings.Builder
			for ; n < tick*perSecond/10; n++ {
				fmt.Fprintf(&text, "level=info line %d of what somebody watches\n", n+1)
			}
			_, _ = os.Stdout.WriteString(text.String())
			time.Sleep(100 * time.Millisecond)
		}
	}()
}

// failing says of each request whether it is to fail: every nth one (FAIL_EVERY=2).
func failing(every string) func() bool {
	n, err := strconv.ParseUint(every, 10, 32)
	if err != nil || n == 0 {
		return func() bool { return false }
	}
	var count atomic.Uint64
	return func() bool { return count.Add(1)%n == 0 }
}
