process GENOTOK_ENCODE {
    tag "${meta.id}"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    // FILL-IN: build of the containers that Bioconda's package has, in place of "0"
    container "${workflow.containerEngine == 'singularity' && !task.ext.singularity_pull_docker_container
        ? 'https://depot.galaxyproject.org/singularity/genotok:0.1.0--0'
        : 'biocontainers/genotok:0.1.0--0'}"

    input:
    tuple val(meta), path(sequences)
    tuple val(meta2), path(tokenizer)
    val format

    output:
    tuple val(meta), path("${prefix}.${format}"), emit: encoded
    tuple val(meta), path("*_mqc.json"), emit: multiqc
    path "versions.yml", emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    genotok encode \\
        --tokenizer ${tokenizer} \\
        --threads ${task.cpus} \\
        --quiet \\
        --multiqc ${prefix} \\
        --output ${prefix}.${format} \\
        ${args} \\
        ${sequences}

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        genotok: \$(genotok --version | sed 's/^genotok //')
    END_VERSIONS
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch ${prefix}.${format} ${prefix}_encode_general_mqc.json

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        genotok: \$(genotok --version | sed 's/^genotok //')
    END_VERSIONS
    """
}
