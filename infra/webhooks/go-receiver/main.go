// A receiver of webhooks whose signatures are verified by the Go library of Standard Webhooks.
//
// Prints its port, and ends when its input is closed. The secret is the first argument, a public key the second.
// POST / answers 204 when the library takes the request and 401 when it does not; POST /sign answers the signature that
// the library makes of the body and the headers webhook-id and webhook-timestamp. The library knows no v1a: POST /v1a is
// verified with the Ed25519 of Go itself.
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func main() {
	webhook, err := standardwebhooks.NewWebhook(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	publicKey, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(os.Args[2], "whpk_"))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(answer http.ResponseWriter, request *http.Request) {
		respond(answer, webhook.Verify(bodyOf(request), request.Header) == nil)
	})
	http.HandleFunc("/v1a", func(answer http.ResponseWriter, request *http.Request) {
		respond(answer, verifyEd25519(publicKey, bodyOf(request), request.Header))
	})
	http.HandleFunc("/sign", func(answer http.ResponseWriter, request *http.Request) {
		seconds, _ := strconv.ParseInt(request.Header.Get("webhook-timestamp"), 10, 64)
		signature, _ := webhook.Sign(request.Header.Get("webhook-id"), time.Unix(seconds, 0), bodyOf(request))
		fmt.Fprint(answer, signature)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() { log.Fatal(http.Serve(listener, nil)) }()
	io.Copy(io.Discard, os.Stdin)
}

func bodyOf(request *http.Request) []byte {
	body, _ := io.ReadAll(request.Body)
	return body
}

func respond(answer http.ResponseWriter, taken bool) {
	if taken {
		answer.WriteHeader(http.StatusNoContent)
	} else {
		answer.WriteHeader(http.StatusUnauthorized)
	}
}

func verifyEd25519(key ed25519.PublicKey, body []byte, headers http.Header) bool {
	content := append([]byte(headers.Get("webhook-id")+"."+headers.Get("webhook-timestamp")+"."), body...)
	for _, one := range strings.Split(headers.Get("webhook-signature"), " ") {
		text, found := strings.CutPrefix(one, "v1a,")
		signature, err := base64.StdEncoding.Strict().DecodeString(text)
		if found && err == nil && ed25519.Verify(key, content, signature) {
			return true
		}
	}
	return false
}
