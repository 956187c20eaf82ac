{{define "n"}}<{{.metadata.name}}>{{end}}{{template "n" .}}
